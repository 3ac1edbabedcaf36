#include <fmt/format.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <iterator>
#include <nlohmann/json.hpp>
#include <utility>
#include <variant>

#include "analysis/heap/digest.h"
#include "analysis/heap/growth.h"
#include "analysis/heap/snapshot.h"
#include "analysis/report/heap_json.h"
#include "analysis/report/heap_terminal.h"
#include "cli/commands.h"
#include "cli/exit_code.h"
#include "cli/heap_watch.h"
#include "cli/progress.h"

namespace ebbtide {
namespace {

constexpr std::size_t files_to_compare = 3;

// Where output is no terminal somebody reads it with their own tools: nothing is cut.
std::size_t terminal_width() {
  winsize size{};
  const bool known = ioctl(STDOUT_FILENO, TIOCGWINSZ, &size) == 0 && size.ws_col > 0;
  return known ? size.ws_col : 10000;
}

void add_rows(HeapDigest digest, Recording& recording) {
  recording.heap_censuses.push_back(std::move(digest.census));
  std::ranges::move(digest.classes, std::back_inserter(recording.heap_classes));
  std::ranges::move(digest.paths, std::back_inserter(recording.heap_paths));
  std::ranges::move(digest.levels, std::back_inserter(recording.heap_path_levels));
}

// The rows of all files, as a run would have recorded them.
Result<Recording> read_files(const HeapOptions& options) {
  Progress progress(options.json);
  HeapDigester digester(texts_of_process(getpid()));
  Recording recording;
  std::uint64_t newest = 0;
  for (std::uint32_t i = 0; i < options.snapshots.size(); ++i) {
    const std::string& path = options.snapshots[i];
    progress.working(fmt::format("reading {} ({} of {})", path, i + 1, options.snapshots.size()));
    const auto start = std::chrono::steady_clock::now();
    const auto snapshot = read_snapshot(path);
    if (!snapshot) return snapshot.error();
    if (snapshot->max_id < newest) {
      progress.say(path + " is older than the file before it, or of another process: " +
                   "compare snapshots of one process in the order they were taken");
    }
    newest = snapshot->max_id;
    HeapDigest digest = digester.digest(snapshot->graph, i, "main");
    digest.census.source = HeapSource::snapshot;
    digest.census.took_ns = static_cast<std::uint64_t>(
        std::chrono::nanoseconds(std::chrono::steady_clock::now() - start).count());
    add_rows(std::move(digest), recording);
    if (options.connections && i > 0) {
      recording.cycles.push_back({.number = i,
                                  .dose = *options.connections,
                                  .established = *options.connections,
                                  .start_ns = 0,
                                  .end_ns = 0});
    }
  }
  return recording;
}

Result<Recording> read_process(std::int32_t pid) {
  auto watch = HeapWatch::open({pid});
  if (!watch) return watch.error();
  auto look = (*watch)->look(0);
  if (!look) return look.error();
  Recording recording;
  for (Record& row : look->rows) {
    if (auto* census = std::get_if<HeapCensus>(&row))
      recording.heap_censuses.push_back(std::move(*census));
    if (auto* heap_class = std::get_if<HeapClass>(&row))
      recording.heap_classes.push_back(std::move(*heap_class));
    if (auto* path = std::get_if<HeapPath>(&row)) recording.heap_paths.push_back(std::move(*path));
    if (auto* level = std::get_if<HeapPathLevel>(&row))
      recording.heap_path_levels.push_back(*level);
  }
  return recording;
}

int exit_code_of(const HeapFindings& findings, std::size_t looks) {
  if (looks < 2) return exit_ok;
  if (looks < files_to_compare) return exit_inconclusive;
  return std::ranges::any_of(findings.causes, [](const HeapCause& each) { return !each.bounded; })
             ? exit_leak
             : exit_ok;
}

void print_json(const Recording& recording, const HeapFindings& findings) {
  nlohmann::ordered_json json = heap_findings_json(findings);
  json["censuses"] = heap_censuses_json(recording);
  fmt::print("{}\n", json.dump(2));
}

}  // namespace

Result<int> run_heap(const HeapOptions& options) {
  const auto recording = options.pid ? read_process(*options.pid) : read_files(options);
  if (!recording) return recording.error();
  const std::size_t looks = options.pid ? 1 : options.snapshots.size();
  const HeapFindings findings = find_heap_growth(*recording);
  const HeapTextOptions text{.width = terminal_width(),
                             .step = options.connections ? "connection" : "snapshot"};
  if (options.json) {
    print_json(*recording, findings);
  } else {
    fmt::print("{}", looks == 1 ? census_text(*recording, text)
                                : comparison_text(*recording, findings, text));
  }
  return exit_code_of(findings, looks);
}

}  // namespace ebbtide
