#include "tests/bench/heap_census_cost.h"

#include <fmt/format.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <chrono>
#include <csignal>
#include <filesystem>
#include <optional>
#include <thread>

#include "analysis/heap/live_heap.h"
#include "tests/e2e/process.h"
#include "tracer/proc.h"
#include "tracer/v8/heap_capture.h"

namespace ebbtide {
namespace {

using Clock = std::chrono::steady_clock;

constexpr int looks = 5;
constexpr double ns_per_ms = 1e6;
constexpr double bytes_per_mb = 1e6;

struct Size {
  std::size_t records;
  double pause_aim_ms;
};
constexpr std::array sizes = {Size{380'000, 30}, Size{2'150'000, 150}};

// What a process that does nothing else has measured of itself. It goes through a pipe.
struct Cost {
  double heap_mb = 0;   // resident, as copied
  double pause_ms = 0;  // median of the looks
  double first_pause_ms = 0;
  double take_cpu_s = 0;  // median
  double read_cpu_s = 0;
  double read_wall_s = 0;
  double peak_mb = 0;
  double objects = 0;
};

double cpu_seconds(const rusage& used) {
  const auto seconds = [](const timeval& time) {
    return static_cast<double>(time.tv_sec) + static_cast<double>(time.tv_usec) / 1e6;
  };
  return seconds(used.ru_utime) + seconds(used.ru_stime);
}

rusage own_usage() {
  rusage used{};
  getrusage(RUSAGE_SELF, &used);
  return used;
}

std::optional<Cost> look_at(pid_t pid) {
  auto capture = HeapCapture::open(pid);
  if (!capture) return std::nullopt;
  Cost cost;
  std::array<double, looks> pauses{};
  std::array<double, looks> cpu{};
  Result<HeapImage> image = HeapImage{};
  for (int i = 0; i < looks; ++i) {
    image = HeapImage{};  // gives its memory back
    const double before = cpu_seconds(own_usage());
    image = (*capture)->take();
    if (!image) return std::nullopt;
    cpu[static_cast<std::size_t>(i)] = cpu_seconds(own_usage()) - before;
    pauses[static_cast<std::size_t>(i)] = static_cast<double>(image->pause_ns) / ns_per_ms;
  }
  cost.first_pause_ms = pauses[0];
  std::ranges::sort(pauses);
  std::ranges::sort(cpu);
  cost.pause_ms = pauses[looks / 2];
  cost.take_cpu_s = cpu[looks / 2];
  cost.heap_mb = static_cast<double>(image->copied_bytes) / bytes_per_mb;

  const double before = cpu_seconds(own_usage());
  const auto start = Clock::now();
  const auto heaps = read_live_heap(*image);
  if (!heaps) return std::nullopt;
  cost.read_wall_s = std::chrono::duration<double>(Clock::now() - start).count();
  const rusage used = own_usage();
  cost.read_cpu_s = cpu_seconds(used) - before;
  cost.peak_mb = static_cast<double>(used.ru_maxrss) * 1024 / bytes_per_mb;
  cost.objects = (*heaps)[0].graph.size();
  return cost;
}

Result<Cost> look_from_a_process_of_its_own(pid_t pid) {
  const Error failed{"look into the heap of", fmt::format("process {}", pid),
                     "see heap_capture_test", ""};
  std::array<int, 2> ends{};
  if (pipe(ends.data()) != 0) return failed;
  const pid_t child = fork();
  if (child == 0) {
    const auto cost = look_at(pid);
    const bool told = cost && write(ends[1], &*cost, sizeof *cost) == sizeof *cost;
    _exit(told ? 0 : 1);
  }
  close(ends[1]);
  Cost cost;
  const bool got = read(ends[0], &cost, sizeof cost) == sizeof cost;
  close(ends[0]);
  waitpid(child, nullptr, 0);
  if (!got) return failed;
  return cost;
}

// Milliseconds that it took, by its own clock.
Result<double> snapshot_of_itself(Process& node) {
  node.signal(SIGUSR2);
  double ms = 0;
  const auto written = [&](const std::string& out) {
    const auto at = out.find("written ");
    if (at == std::string::npos || out.find(" of ", at) == std::string::npos) return false;
    ms = std::stod(out.substr(at + 8));
    return true;
  };
  if (!node.read_until(written, std::chrono::minutes(5))) {
    return Error{"write a snapshot of", "the node process", "it did not end in time", ""};
  }
  return ms;
}

// Once it has stayed the same for a second: V8 gives memory back on threads of its own.
std::uint64_t settled_resident_bytes(pid_t pid) {
  std::uint64_t bytes = 0;
  for (int same = 0; same < 10; ++same) {
    const auto now = read_resident_bytes(pid).value_or(0);
    if (now != bytes) same = 0;
    bytes = now;
    std::this_thread::sleep_for(std::chrono::milliseconds(100));
  }
  return bytes;
}

Result<Rows> measure(const Size& size, const std::string& directory) {
  const std::string snapshot = directory + "/own.heapsnapshot";
  Process node(
      {SOURCE_DIR "/tests/packages/node_modules/node20/bin/node", "--expose-gc",
       "--max-old-space-size=4000", SOURCE_DIR "/tests/bench/big-heap.js"},
      {.environment = {{"RECORDS", std::to_string(size.records)}, {"SNAPSHOT", snapshot}}});
  const auto ready = [](const std::string& out) { return out.find("ready") != std::string::npos; };
  if (!node.read_until(ready, std::chrono::minutes(2))) {
    return Error{"start", "tests/bench/big-heap.js", node.err(), "npm ci in tests/packages"};
  }
  const auto before = settled_resident_bytes(node.pid());
  const auto cost = look_from_a_process_of_its_own(node.pid());
  if (!cost) return cost.error();
  const auto after = read_resident_bytes(node.pid()).value_or(0);
  const auto own_ms = snapshot_of_itself(node);
  if (!own_ms) return own_ms.error();
  const auto swollen = read_resident_bytes(node.pid()).value_or(0);
  std::filesystem::remove(snapshot);

  const auto grown = [](std::uint64_t from, std::uint64_t to) {
    return (static_cast<double>(to) - static_cast<double>(from)) / bytes_per_mb;
  };
  const std::string heap = fmt::format("{:.0f} MB", cost->heap_mb);
  return Rows{
      {.name = "pause of the target, " + heap,
       .figure = fmt::format("{:.1f} ms", cost->pause_ms),
       .aim = fmt::format("<= {:.0f} ms", size.pause_aim_ms),
       .met = at_most(size.pause_aim_ms, cost->pause_ms),
       .against = fmt::format("median of {}, the first {:.1f} ms; v8.writeHeapSnapshot {:.0f} ms",
                              looks, cost->first_pause_ms, *own_ms)},
      {.name = "  change of its resident memory",
       .figure = fmt::format("{:+.1f} MB", grown(before, after)),
       .aim = "none",
       .met = at_most(0.25, std::abs(grown(before, after))),
       .against = fmt::format("v8.writeHeapSnapshot {:+.0f} MB", grown(after, swollen))},
      {.name = "  CPU of the tool to copy it", .figure = fmt::format("{:.2f} s", cost->take_cpu_s)},
      {.name = "  CPU of the tool to make a graph of it",
       .figure = fmt::format("{:.2f} s", cost->read_cpu_s),
       .against = fmt::format("{:.2f} s by the clock, {:.1f} million objects", cost->read_wall_s,
                              cost->objects / 1e6)},
      {.name = "  peak resident memory of the tool",
       .figure = fmt::format("{:.0f} MB", cost->peak_mb),
       .aim = fmt::format("<= {:.0f} MB", cost->heap_mb * 3),
       .met = at_most(cost->heap_mb * 3, cost->peak_mb),
       .against = "three times the heap"}};
}

}  // namespace

Result<Rows> measure_heap_census(const std::string& directory) {
  Rows rows;
  for (const Size& size : sizes) {
    auto measured = measure(size, directory);
    if (!measured) return measured.error();
    rows.insert(rows.end(), measured->begin(), measured->end());
  }
  return rows;
}

}  // namespace ebbtide
