#include "cli/heap_watch.h"

#include <fmt/format.h>

#include <filesystem>
#include <fstream>
#include <iterator>
#include <optional>
#include <utility>

#include "analysis/heap/live_heap.h"
#include "recording/clock.h"

namespace ebbtide {
namespace {

// Larger than any source map in use; a device or a pipe has no size to go by.
constexpr std::uintmax_t max_text_bytes = 128U << 20;

std::optional<std::string> read_regular_file(const std::filesystem::path& path) {
  std::error_code code;
  if (!std::filesystem::is_regular_file(path, code) || code) return std::nullopt;
  const auto size = std::filesystem::file_size(path, code);
  if (code || size > max_text_bytes) return std::nullopt;
  std::ifstream file(path, std::ios::binary);
  std::string text{std::istreambuf_iterator<char>(file), std::istreambuf_iterator<char>()};
  return file ? std::optional(std::move(text)) : std::nullopt;
}

std::int64_t signed_bytes(std::uint64_t bytes) { return static_cast<std::int64_t>(bytes); }

// Sums over the processes and their isolates.
std::vector<Gauge> gauges(const std::vector<HeapCensus>& censuses, std::uint32_t cycle,
                          Point point) {
  std::uint64_t live = 0;
  std::uint64_t external = 0;
  std::uint64_t ts_ns = 0;
  for (const HeapCensus& census : censuses) {
    live += census.reachable_bytes + census.handle_bytes;
    external += census.external_bytes;
    ts_ns = census.ts_ns;
  }
  std::vector<Gauge> sums;
  for (const auto& [kind, bytes] :
       {std::pair{GaugeKind::heap_live, live}, std::pair{GaugeKind::heap_live_external, external}})
    sums.push_back({cycle, point, kind, ts_ns, signed_bytes(bytes)});
  return sums;
}

}  // namespace

ReadText texts_of_process(pid_t pid) {
  return [pid](const std::string& path) -> std::optional<std::string> {
    if (!path.starts_with('/')) return std::nullopt;
    return read_regular_file(fmt::format("/proc/{}/root{}", pid, path));
  };
}

HeapWatch::HeapWatch(std::vector<Process> processes) : processes_(std::move(processes)) {}

Result<std::unique_ptr<HeapWatch>> HeapWatch::open(const std::vector<pid_t>& pids) {
  std::vector<Process> processes;
  for (const pid_t pid : pids) {
    auto capture = HeapCapture::open(pid);
    if (!capture) return capture.error();
    processes.push_back(
        {pid, std::move(capture).value(), std::make_unique<HeapDigester>(texts_of_process(pid))});
  }
  return std::unique_ptr<HeapWatch>(new HeapWatch(std::move(processes)));
}

Result<HeapLook> HeapWatch::look(std::uint32_t cycle) {
  HeapLook look;
  for (Process& process : processes_) {
    if (auto looked = look_at(process, cycle, look); !looked) return looked.error();
  }
  std::vector<HeapCensus> censuses;
  for (const Record& row : look.rows) {
    if (const auto* census = std::get_if<HeapCensus>(&row)) censuses.push_back(*census);
  }
  for (const Gauge& sum : gauges(censuses, cycle, Point::settled)) look.rows.emplace_back(sum);
  return look;
}

Result<std::vector<Gauge>> HeapWatch::weigh(std::uint32_t cycle, Point point) {
  std::vector<HeapCensus> censuses;
  for (Process& process : processes_) {
    const auto image = process.capture->take();
    if (!image) return image.error();
    const auto heaps = read_live_heap(*image);
    if (!heaps) return heaps.error();
    for (const IsolateHeap& heap : *heaps) {
      censuses.push_back(weigh_heap(heap.graph));
      censuses.back().ts_ns = image->ts_ns;
    }
  }
  return gauges(censuses, cycle, point);
}

Result<void> HeapWatch::look_at(Process& process, std::uint32_t cycle, HeapLook& look) {
  const std::uint64_t start_ns = monotonic_ns();
  const auto image = process.capture->take();
  if (!image) return image.error();
  const auto heaps = read_live_heap(*image);
  if (!heaps) return heaps.error();
  for (const IsolateHeap& heap : *heaps) {
    HeapDigest digest = process.digester->digest(heap.graph, cycle, heap.name);
    digest.census.source = HeapSource::live;
    digest.census.ts_ns = image->ts_ns;
    digest.census.pause_ns = image->pause_ns;
    digest.census.took_ns = monotonic_ns() - start_ns;
    digest.census.resident_bytes = heap.resident_bytes;
    digest.census.walked_permille = heap.walked_permille;
    look.paths_left_out += digest.paths_left_out;
    look.rows.emplace_back(std::move(digest.census));
    for (HeapClass& row : digest.classes) look.rows.emplace_back(std::move(row));
    for (HeapPath& row : digest.paths) {
      if (known_paths_.insert(row.id).second) look.rows.emplace_back(std::move(row));
    }
    for (const HeapPathLevel& row : digest.levels) look.rows.emplace_back(row);
    for (HeapTimer& row : digest.timers) look.rows.emplace_back(std::move(row));
  }
  return {};
}

}  // namespace ebbtide
