// Measures, on this machine and in one run, what tracing costs and what the tool needs. A missed
// aim is shown, not punished: this fails only when something could not be measured.
#include <fmt/format.h>
#include <stdlib.h>
#include <sys/utsname.h>
#include <unistd.h>

#include <chrono>
#include <exception>
#include <filesystem>
#include <fstream>
#include <functional>
#include <thread>

#include "tests/bench/heap_census_cost.h"
#include "tests/bench/heap_snapshot_cost.h"
#include "tests/bench/load_cost.h"
#include "tests/bench/load_cost_process.h"
#include "tests/bench/malloc_census_cost.h"
#include "tests/bench/pump_cost.h"
#include "tests/bench/review_quality.h"
#include "tests/bench/review_speed.h"
#include "tests/bench/table.h"
#include "tests/bench/target_cost.h"
#include "tests/bench/tool_cost.h"
#include "tests/bench/verdict_rates.h"
#include "tests/e2e/server.h"

namespace {

using namespace ebbtide;

struct CpuTicks {
  std::uint64_t idle = 0;
  std::uint64_t all = 0;
};

CpuTicks read_cpu_ticks() {
  std::ifstream stat("/proc/stat");
  std::string label;
  stat >> label;
  CpuTicks ticks;
  for (std::uint64_t column = 0, value = 0; column < 8 && stat >> value; column++) {
    ticks.all += value;
    if (column == 3 || column == 4) ticks.idle += value;  // idle, iowait
  }
  return ticks;
}

// Other work on the machine shows in every figure. The load average would still show the build that
// has just ended.
std::string describe_machine() {
  const CpuTicks before = read_cpu_ticks();
  std::this_thread::sleep_for(std::chrono::seconds(1));
  const CpuTicks after = read_cpu_ticks();
  const auto idle = static_cast<double>(after.idle - before.idle);
  const double busy = 1 - idle / static_cast<double>(after.all - before.all);
  utsname system{};
  uname(&system);
  return fmt::format("ebbtide {} on {} {}, {} CPUs, {:.0f} % busy with other work{}",
                     EBBTIDE_VERSION, system.release, system.machine,
                     std::thread::hardware_concurrency(), 100 * busy,
                     busy > 0.1 ? ": too much to trust the times below" : "");
}

struct Measurement {
  std::string heading;
  std::function<Result<Rows>()> measure;
};

Result<Rows> measure_snapshots(const std::string& directory) {
  return measure_heap_snapshots(directory, {.command = {BINARY_DIR "/ebbtide", "heap"}});
}

// A server or program that cannot be started is thrown by the test ring's classes.
Result<Rows> run(const Measurement& measurement) {
  try {
    return measurement.measure();
  } catch (const std::exception& failure) {
    return Error{"measure", measurement.heading, failure.what(), ""};
  }
}

// The tool's own runs come first: its peak memory is exact only while this process is small.
Table measure_all(const std::string& directory) {
  const auto with_server = [&](auto measure) {
    return [&directory, measure]() -> Result<Rows> {
      return measure(Server::node("tests/bench/plain-server.js"), directory);
    };
  };
  const std::vector<Measurement> measurements = {
      {"the code review", [&] { return measure_review_speed(directory); }},
      {"the tool at 1,000 connections", [&] { return measure_tool_memory(directory); }},
      {"the tool, 10 cycles of 100 connections", [&] { return measure_tool_time(directory); }},
      {"the analysis", [&] { return measure_analysis(directory); }},
      {"CPU of the target per 1,000 connections", with_server(measure_target_cost)},
      {"CPU of a process that nobody traces, per system call", with_server(measure_bystander_cost)},
      {"records from kernel to recording", with_server(measure_pump)},
      {"a look into a JavaScript heap", [&] { return measure_heap_census(directory); }},
      {"a count of malloc's blocks", measure_malloc_census},
      {"a client of 10,000 WebSocket connections, native server", measure_load_cost},
      {"deliveries per second of the driver's CPU, native server", measure_delivery_cost},
      {"what grows between heap snapshots", [&] { return measure_snapshots(directory); }},
      {"what the code review finds in the labelled set", measure_review_quality},
      {"how often the verdict is wrong, simulated runs", measure_verdict_rates}};
  Table table;
  for (const Measurement& each : measurements) {
    fmt::print(stderr, "bench: {}\n", each.heading);
    table.add(each.heading, run(each));
  }
  return table;
}

}  // namespace

int main(int argc, char** argv) {
  if (argc > 1) return run_load_process({argv + 1, argv + argc});
  if (geteuid() != 0) {
    fmt::print(stderr, "bench: tracing needs root: run 'sudo make bench'\n");
    return 1;
  }
  std::string directory =
      (std::filesystem::temp_directory_path() / "ebbtide-bench-XXXXXX").string();
  if (mkdtemp(directory.data()) == nullptr) {
    fmt::print(stderr, "bench: cannot make a directory like {}\n", directory);
    return 1;
  }
  const std::string machine = describe_machine();
  const Table table = measure_all(directory);
  fmt::print("{}\n\n", machine);
  table.print();
  std::filesystem::remove_all(directory);
  return table.complete() ? 0 : 1;
}
