#include "tests/bench/tool_cost.h"

#include <fmt/format.h>

#include <array>
#include <filesystem>

#include "recording/names.h"
#include "recording/reader.h"
#include "tests/bench/tool_run.h"
#include "tests/e2e/server.h"

namespace ebbtide {
namespace {

constexpr double memory_aim_mb = 60;
constexpr double time_aim_s = 10;
constexpr int cycles = 10;

// The defaults of `ebbtide leak` but for what `extra` says.
Result<ToolRun> run_leak(const Server& server, const std::string& directory,
                         const std::vector<std::string>& extra) {
  std::vector<std::string> arguments = {
      "leak",     server.url("ws"), "--send", R"({"type":"subscribe","matchId":1})",
      "--expect", "subscribed",     "-o",     directory,
      "--close",  "clean",          "--quiet"};
  arguments.insert(arguments.end(), extra.begin(), extra.end());
  return run_tool(arguments);
}

// Seconds by phase, cycles without connections apart.
struct TimeSpent {
  std::array<double, phase_count> phases{};
  double idle_controls = 0;
  double full_collections = 0;  // within the above; all but a few of them forced
};

TimeSpent time_spent(const Recording& recording) {
  TimeSpent spent;
  for (const PhaseSpan& span : recording.phases) {
    const double seconds = static_cast<double>(span.end_ns - span.start_ns) / 1e9;
    bool idle = false;
    for (const Cycle& cycle : recording.cycles)
      idle = idle || (cycle.number == span.cycle && cycle.dose == 0);
    (idle ? spent.idle_controls : spent.phases[static_cast<std::size_t>(span.phase)]) += seconds;
  }
  for (const Gc& gc : recording.gcs) {
    if (gc.collector == Collector::mark_compact)
      spent.full_collections += static_cast<double>(gc.end_ns - gc.start_ns) / 1e9;
  }
  return spent;
}

Rows describe(const TimeSpent& spent, double wall_s) {
  Rows rows;
  const auto add = [&](const std::string& name, double seconds, const std::string& against) {
    rows.push_back(
        {.name = "  " + name, .figure = fmt::format("{:.2f} s", seconds), .against = against});
    wall_s -= seconds;
  };
  for (const Phase phase : {Phase::before, Phase::open, Phase::hold, Phase::close, Phase::settle})
    add(std::string(name_of(phase)), spent.phases[static_cast<std::size_t>(phase)],
        phase == Phase::before ? "phases of the recording, all cycles with connections" : "");
  add("idle controls", spent.idle_controls,
      fmt::format("this and the above hold {:.2f} s of full collections in the server",
                  spent.full_collections));
  add("the rest", wall_s, "attaching, measuring between phases, analysis, reports");
  return rows;
}

}  // namespace

Result<Rows> measure_tool_memory(const std::string& directory) {
  const Server server = Server::node("examples/clean-server.js");
  const auto run =
      run_leak(server, directory + "/thousand", {"--cycles", "2", "--connections", "1000"});
  if (!run) return run.error();
  return Rows{{.name = "peak resident memory",
               .figure = fmt::format("{:.1f} MB", run->peak_resident_mb),
               .aim = fmt::format("< {:.0f} MB", memory_aim_mb),
               .met = at_most(memory_aim_mb, run->peak_resident_mb),
               .against = "ebbtide leak --cycles 2 --connections 1000, examples/clean-server.js"}};
}

Result<Rows> measure_tool_time(const std::string& directory) {
  const Server server = Server::node("examples/leaky-server.js");
  const auto run = run_leak(server, directory + "/demo", {});
  if (!run) return run.error();
  const auto recording = read_recording(directory + "/demo/leak.ebbtide");
  if (!recording) return recording.error();
  Rows rows{{.name = "wall time",
             .figure = fmt::format("{:.2f} s", run->wall_s),
             .aim = fmt::format("< {:.0f} s", time_aim_s),
             .met = at_most(time_aim_s, run->wall_s),
             .against = "ebbtide leak with its defaults, examples/leaky-server.js"}};
  for (Row& row : describe(time_spent(*recording), run->wall_s)) rows.push_back(std::move(row));
  rows.push_back({.name = "CPU of the tool",
                  .figure = fmt::format("{:.2f} s", run->cpu_s),
                  .against = "the same run, user and system"});
  rows.push_back({.name = "a script that sleeps 2 s + 2 s a cycle",
                  .figure = fmt::format("{} s", cycles * 4),
                  .against = "computed, not measured"});
  return rows;
}

Result<Rows> measure_analysis(const std::string& directory) {
  const std::string path = directory + "/demo/leak.ebbtide";
  const auto recording = read_recording(path);
  if (!recording) return recording.error();
  const auto run = run_tool({"report", path, "-o", directory + "/again", "--quiet"});
  if (!run) return run.error();
  std::error_code code;
  const auto bytes = static_cast<double>(std::filesystem::file_size(path, code));
  if (code) return Error{"look at", path, code.message(), ""};
  const std::size_t connections = recording->connections.size();
  const std::string against = fmt::format("the recording of that run: {} connections", connections);
  return Rows{{.name = "ebbtide report",
               .figure = fmt::format("{:.0f} ms", run->wall_s * 1e3),
               .against = against},
              {.name = "size on disk per 1,000 connections",
               .figure = fmt::format("{:.0f} kB", bytes / static_cast<double>(connections)),
               .against = against}};
}

}  // namespace ebbtide
