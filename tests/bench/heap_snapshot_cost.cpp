#include "tests/bench/heap_snapshot_cost.h"

#include <fmt/format.h>

#include <filesystem>

#include "tests/bench/tool_run.h"

namespace ebbtide {
namespace {

namespace fs = std::filesystem;

constexpr double times_less_cpu = 10;
constexpr double times_less_memory = 4;
constexpr double times_the_file = 3;

// Heaps of any size: V8's own limit is made for servers with less.
const std::string memory_limit = "--max-old-space-size=12000";
const std::string node = SOURCE_DIR "/tests/packages/node_modules/node22/bin/node";
const std::string memlab = SOURCE_DIR "/tests/bench/packages/node_modules/memlab/bin/memlab";

std::string snapshot(const std::string& directory, int step) {
  return fmt::format("{}/S{}.heapsnapshot", directory, step);
}

Result<ToolRun> run_memlab(const std::string& directory) {
  if (!fs::exists(memlab))
    return Error{"run", "memlab", "it is not installed",
                 "PUPPETEER_SKIP_DOWNLOAD=1 npm ci --ignore-scripts --prefix tests/bench/packages"};
  return run_program({node, "--expose-gc", memory_limit, memlab, "find-leaks", "--silent",
                      "--baseline", snapshot(directory, 1), "--target", snapshot(directory, 2),
                      "--final", snapshot(directory, 3), "--work-dir", directory + "/memlab"});
}

Result<ToolRun> run_own(const std::string& directory, std::vector<std::string> command) {
  for (const int step : {1, 2, 3}) command.push_back(snapshot(directory, step));
  return run_program(command);
}

std::string beside(const std::string& figure, double ratio) {
  return fmt::format("memlab find-leaks on the same files: {}, {:.1f} times as much", figure,
                     ratio);
}

Rows compare(double file_mb, const ToolRun& own, const ToolRun& other) {
  return {{.name = fmt::format("3 snapshots of {:.0f} MB: CPU", file_mb),
           .figure = fmt::format("{:.2f} s", own.cpu_s),
           .aim = fmt::format("{:.0f} times less", times_less_cpu),
           .met = at_most(other.cpu_s / times_less_cpu, own.cpu_s),
           .against = beside(fmt::format("{:.2f} s", other.cpu_s), other.cpu_s / own.cpu_s)},
          {.name = "  peak resident memory",
           .figure = fmt::format("{:.0f} MB", own.peak_resident_mb),
           .aim = fmt::format("{:.0f} times less", times_less_memory),
           .met = at_most(other.peak_resident_mb / times_less_memory, own.peak_resident_mb),
           .against = beside(fmt::format("{:.0f} MB", other.peak_resident_mb),
                             other.peak_resident_mb / own.peak_resident_mb)},
          {.name = "  of that, for each MB of one file",
           .figure = fmt::format("{:.2f} MB", own.peak_resident_mb / file_mb),
           .aim = fmt::format("< {:.0f} MB", times_the_file),
           .met = at_most(times_the_file, own.peak_resident_mb / file_mb)}};
}

Result<Rows> measure_set(const std::string& directory, std::uint64_t records,
                         const std::vector<std::string>& command) {
  fs::create_directories(directory);
  const auto made = run_program({node, memory_limit, SOURCE_DIR "/tests/bench/heap/growing-heap.js",
                                 directory, std::to_string(records)});
  if (!made) return made.error();
  const auto own = run_own(directory, command);
  if (!own) return own.error();
  const auto other = run_memlab(directory);
  if (!other) return other.error();
  const double file_mb = static_cast<double>(fs::file_size(snapshot(directory, 3))) / 1e6;
  fs::remove_all(directory);
  return compare(file_mb, *own, *other);
}

}  // namespace

Result<Rows> measure_heap_snapshots(const std::string& directory,
                                    const SnapshotComparison& comparison) {
  Rows rows;
  for (const std::uint64_t records : comparison.records) {
    const auto set = measure_set(fmt::format("{}/snapshots-{}", directory, records), records,
                                 comparison.command);
    if (!set) return set.error();
    rows.insert(rows.end(), set->begin(), set->end());
  }
  return rows;
}

}  // namespace ebbtide
