#include "analysis/compare/run_differences.h"

#include <fmt/format.h>

#include <algorithm>

#include "analysis/endings/passes.h"
#include "analysis/format.h"
#include "recording/names.h"

namespace ebbtide {
namespace {

std::string steps_text(const PlanInfo& plan) {
  std::string text;
  for (const std::string& step : plan.steps) text += (text.empty() ? "" : "; ") + step;
  return text.empty() ? "none" : text;
}

// "10 × 100", or each dose where they differ; idle controls aside.
// Of the main experiment; what passes follow is told by the ways to close.
std::string doses_text(const Recording& recording) {
  std::vector<std::uint64_t> doses;
  const CloseMode main = main_mode(recording);
  for (const Cycle& cycle : recording.cycles) {
    if (cycle.dose != 0 && cycle.close_mode == main) doses.push_back(cycle.dose);
  }
  if (doses.empty()) return "no finished cycle";
  const bool alike = std::ranges::all_of(doses, [&](auto dose) { return dose == doses[0]; });
  if (alike) return fmt::format("{} of {}", counted(doses.size(), "cycle"), number_text(doses[0]));
  std::string text;
  for (const auto dose : doses) text += (text.empty() ? "" : ", ") + number_text(dose);
  return text;
}

std::string evidence_text(const Recording& recording) {
  std::string text;
  for (const Tier& tier : recording.tiers) {
    if (tier.on) text += (text.empty() ? "" : ", ") + tier.name;
  }
  return text.empty() ? "none" : text;
}

std::string close_modes_text(const Recording& recording) {
  std::vector<std::string> names;
  for (const Connection& connection : recording.connections) {
    const std::string name(name_of(connection.close_mode));
    if (std::ranges::find(names, name) == names.end()) names.push_back(name);
  }
  std::ranges::sort(names);
  std::string text;
  for (const std::string& name : names) text += (text.empty() ? "" : ", ") + name;
  return text;
}

std::string ms_text(std::uint64_t ms) { return fmt::format("{} ms", number_text(ms)); }

}  // namespace

std::vector<RunDifference> run_differences(const Recording& before, const Recording& after) {
  std::vector<RunDifference> rows;
  const auto row = [&](const std::string& what, const auto& text) {
    const std::string first = text(before);
    const std::string second = text(after);
    if (first != second) rows.push_back({what, first, second});
  };
  row("kind of run", [](const Recording& r) { return std::string(name_of(r.run.kind)); });
  row("URL", [](const Recording& r) { return r.run.url; });
  row("target", [](const Recording& r) { return r.run.cmdline; });
  row("program", [](const Recording& r) { return r.run.exe; });
  row("runtime", [](const Recording& r) {
    return r.run.runtime.empty() ? "not known" : r.run.runtime + " " + r.run.runtime_version;
  });
  row("machine", [](const Recording& r) {
    return fmt::format("Linux {}, {}, {}", r.run.kernel, r.run.machine, counted(r.run.cpus, "CPU"));
  });
  row("ebbtide", [](const Recording& r) { return r.run.tool_version; });
  row("doses", doses_text);
  row("opening at once", [](const Recording& r) {
    return r.run.plan.window == 0 ? "all" : number_text(std::uint64_t{r.run.plan.window});
  });
  row("hold", [](const Recording& r) { return ms_text(r.run.plan.hold_ms); });
  row("timeout", [](const Recording& r) { return ms_text(r.run.plan.timeout_ms); });
  row("settle cap", [](const Recording& r) { return ms_text(r.run.plan.settle_cap_ms); });
  row("steps", [](const Recording& r) { return steps_text(r.run.plan); });
  row("ways to close", close_modes_text);
  row("evidence", evidence_text);
  row("end", [](const Recording& r) { return std::string(name_of(r.end.reason)); });
  return rows;
}

bool is_one_run(const Recording& before, const Recording& after) {
  const RunInfo& first = before.run;
  const RunInfo& second = after.run;
  return first.start_ns == second.start_ns && first.started_unix_s == second.started_unix_s &&
         first.pid == second.pid && first.kind == second.kind;
}

}  // namespace ebbtide
