#include "analysis/endings/passes.h"

#include <algorithm>
#include <cstdint>
#include <limits>
#include <optional>
#include <sstream>
#include <string>

#include "analysis/run_part.h"
#include "recording/names.h"

namespace ebbtide {
namespace {

constexpr std::uint32_t no_cycle = std::numeric_limits<std::uint32_t>::max();

// The first cycle of the passes, finished or not; no_cycle without one.
std::uint32_t first_of_passes(const Recording& run) {
  const CloseMode main = main_mode(run);
  std::uint32_t first = no_cycle;
  for (const Cycle& cycle : run.cycles) {
    if (cycle.close_mode != main) first = std::min(first, cycle.number);
  }
  for (const Connection& connection : run.connections) {
    const bool tried = connection.cycle == 0;
    if (!tried && connection.close_mode != main) first = std::min(first, connection.cycle);
  }
  return first;
}

}  // namespace

CloseMode main_mode(const Recording& run) {
  if (!run.cycles.empty()) return run.cycles.front().close_mode;
  for (const Connection& connection : run.connections) {
    if (connection.cycle != 0) return connection.close_mode;
  }
  return CloseMode::clean;
}

std::vector<CloseMode> planned_modes(const Recording& run) {
  std::vector<CloseMode> modes;
  const auto add = [&](CloseMode mode) {
    if (std::ranges::find(modes, mode) == modes.end()) modes.push_back(mode);
  };
  std::istringstream names(run.run.plan.close_modes);
  for (std::string name; std::getline(names, name, ',');) {
    if (const auto mode = parse_name<CloseMode>(name)) add(*mode);
  }
  for (const Cycle& cycle : run.cycles) add(cycle.close_mode);
  return modes;
}

std::optional<CutOff> cut_off(const Recording& run) {
  if (run.end.reason == EndReason::completed) return std::nullopt;
  CutOff where;
  for (const PhaseSpan& span : run.phases) where.cycle = std::max(where.cycle, span.cycle);
  for (const Connection& each : run.connections) where.cycle = std::max(where.cycle, each.cycle);
  for (const Cycle& cycle : run.cycles) where.cycle = std::max(where.cycle, cycle.number);
  if (where.cycle == 0) return std::nullopt;
  where.finished = std::ranges::find(run.cycles, where.cycle, &Cycle::number) != run.cycles.end();
  if (where.cycle >= first_of_passes(run)) {
    const auto last = std::ranges::find(run.connections, where.cycle, &Connection::cycle);
    if (last != run.connections.end()) where.pass = last->close_mode;
  }
  return where;
}

Recording main_part(const Recording& run) {
  const std::uint32_t end = first_of_passes(run);
  if (end == no_cycle) return run;
  Recording part = run_before(run, end);
  part.end = {EndReason::completed, "", part.cycles.empty() ? 0 : part.cycles.back().end_ns};
  return part;
}

Recording pass_part(const Recording& run, CloseMode mode) {
  Recording part;
  part.run = run.run;
  part.cycles = run.cycles;
  std::erase_if(part.cycles, [&](const Cycle& cycle) { return cycle.close_mode != mode; });
  if (part.cycles.empty()) return part;
  const std::uint32_t first = part.cycles.front().number;
  const std::uint32_t last = part.cycles.back().number;
  std::uint32_t before = 0;
  for (const Cycle& cycle : run.cycles) {
    if (cycle.number < first) before = cycle.number;
  }
  const auto copy = [&](const auto& from, auto& to) {
    std::ranges::copy_if(from, std::back_inserter(to),
                         [&](const auto& row) { return row.cycle >= first && row.cycle <= last; });
  };
  const auto copy_with_baseline = [&](const auto& from, auto& to) {
    for (auto row : from) {
      if (row.cycle != before) continue;
      row.cycle = 0;
      to.push_back(std::move(row));
    }
    copy(from, to);
  };
  copy(run.phases, part.phases);
  copy(run.connections, part.connections);
  copy(run.loop_activities, part.loop_activities);
  copy_with_baseline(run.gauges, part.gauges);
  copy_with_baseline(run.heap_censuses, part.heap_censuses);
  copy_with_baseline(run.heap_classes, part.heap_classes);
  copy_with_baseline(run.heap_path_levels, part.heap_path_levels);
  part.heap_paths = run.heap_paths;
  return part;
}

}  // namespace ebbtide
