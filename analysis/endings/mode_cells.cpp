#include "analysis/endings/mode_cells.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <map>

#include "analysis/format.h"
#include "analysis/heap/growth.h"
#include "analysis/heap/object_verdict.h"
#include "analysis/series.h"
#include "analysis/thresholds.h"

namespace ebbtide {
namespace {

using State = ModeCell::State;

constexpr std::size_t most_levels = 6;

// A turn so long that clients feel it, and so much longer than in the main experiment.
constexpr double stall_seconds = 0.2;
constexpr double stall_ratio = 3;
// A loop at rest waits; one that spins does not.
constexpr double spinning_share = 0.9;

CellFinding told(const HeapCause& cause) {
  const std::string objects = count_text(cause.objects_per_connection) + " " + cause.content;
  return {{State::bad, objects},
          fmt::format("each leaves {} behind ({} by the end of each cycle), {} retained by it, "
                      "kept by {}",
                      objects, levels_text(cause.levels, most_levels),
                      bytes_text(cause.retained_per_connection), cause.path)};
}

CellFinding objects_kept(const Recording& pass) {
  const HeapFindings heap = find_heap_growth(pass);
  const HeapCause* cause = leaking_cause(heap);
  return cause == nullptr ? CellFinding() : told(*cause);
}

// What warms up does so in other numbers than that of the connections, or than a multiple of it.
CellFinding objects_kept_in_one_cycle(const Recording& pass) {
  const HeapFindings heap = find_heap_growth_of_one_step(pass);
  if (!heap.reservation.empty()) {
    return {{},
            "",
            "what one cycle left in memory tells no leak from a warm-up, unless the heap census "
            "counts it by object"};
  }
  const HeapCause* cause = kept_cause(heap);
  if (cause == nullptr) return {{State::ok, "ok"}, ""};
  const double objects = cause->objects_per_connection;
  if (objects == std::round(objects)) return told(*cause);
  return {{},
          "",
          fmt::format("one cycle cannot tell whether it is a leak or a warm-up that {} keeps {} {} "
                      "per connection",
                      cause->path, count_text(objects), cause->content)};
}

// Every step after the first, which may be warm-up, adds at least half of the limit.
bool rises(std::span<const FloorStep> steps, double limit) {
  return std::ranges::all_of(steps, [&](const FloorStep& step) {
    return step.connections > 0 && step.growth >= limit / 2 * step.connections;
  });
}

CellFinding floor_risen(const Recording& pass, const GaugeRule& rule) {
  const FloorSeries series = floor_series(pass, rule.terms);
  const std::vector<FloorStep> steps = steps_of(series.points);
  if (steps.size() < 3) return {};
  const auto counted_steps = std::span(steps).subspan(1);
  double connections = 0;
  double growth = 0;
  for (const FloorStep& step : counted_steps) {
    connections += step.connections;
    growth += step.growth;
  }
  const double limit = rule.threshold.limit(connections);
  if (connections == 0 || growth < limit * connections || !rises(counted_steps, limit)) {
    return {{State::ok, "ok"}, ""};
  }
  const std::string amount = bytes_text(growth / connections);
  return {{State::bad, "+" + amount},
          fmt::format("each leaves {} of {} behind (the settled floor rose in each of {})", amount,
                      rule.subject, counted(counted_steps.size(), "cycle"))};
}

double seconds_of(std::uint64_t ns) { return static_cast<double>(ns) * 1e-9; }

// The longest turn of each cycle, the shortest first. What an end costs may come when the cycle
// already settles; the forced collection there is in every cycle, the main experiment's too.
std::vector<double> longest_turns(const Recording& part) {
  std::map<std::uint32_t, double> longest;
  for (const LoopActivity& activity : part.loop_activities) {
    if (activity.cycle == 0) continue;
    double& turn = longest[activity.cycle];
    turn = std::max(turn, seconds_of(activity.longest_ns));
  }
  std::vector<double> turns;
  for (const auto& [cycle, turn] : longest) turns.push_back(turn);
  std::ranges::sort(turns);
  return turns;
}

// In every cycle of several: one long turn may be a process that got no CPU.
bool is_blocked(std::span<const double> turns, std::span<const double> main_turns) {
  const double usual = main_turns.empty() ? 0 : main_turns[main_turns.size() / 2];
  return turns.size() > 1 && turns.front() >= stall_seconds && turns.front() >= stall_ratio * usual;
}

// The least share of a settle phase that the busiest loop was busy.
double least_settle_share(const Recording& part) {
  std::map<std::uint32_t, double> busiest;
  for (const LoopActivity& activity : part.loop_activities) {
    const std::uint64_t whole = activity.busy_ns + activity.waiting_ns;
    if (activity.cycle == 0 || activity.phase != Phase::settle || whole == 0) continue;
    const double share = static_cast<double>(activity.busy_ns) / static_cast<double>(whole);
    busiest[activity.cycle] = std::max(busiest[activity.cycle], share);
  }
  double least = busiest.empty() ? 0 : 1;
  for (const auto& [cycle, share] : busiest) least = std::min(least, share);
  return least;
}

}  // namespace

CellFinding kept_resources(const Recording& run, std::span<const CohortSurvivors> born,
                           std::uint64_t connections, std::span<const ResourceKind> kinds) {
  std::string stay;
  for (const ResourceKind kind : kinds) {
    std::uint64_t alive = 0;
    bool every_cycle = true;
    std::size_t cycles = 0;
    for (const CohortSurvivors& row : born) {
      if (row.kind != kind) continue;
      ++cycles;
      alive += row.alive_at_end;
      every_cycle = every_cycle && row.alive_at_end > 0;
    }
    if (alive == 0) continue;
    const KindRule rule = kind_rule(run, kind);
    const double per_connection = static_cast<double>(alive) / static_cast<double>(connections);
    const auto number = integer_text(static_cast<std::int64_t>(alive));
    if (every_cycle && per_connection >= rule.threshold.limit(static_cast<double>(connections))) {
      const std::string amount = count_text(per_connection) + " " + rule.subject;
      return {{State::bad, amount},
              fmt::format("each leaves {} behind ({} alive at the end of the run, from {} in {})",
                          amount, number, counted(connections, "connection"),
                          counted(cycles, "cycle"))};
    }
    if (stay.empty()) stay = fmt::format(" ({} {} stay)", number, rule.subject);
  }
  return {{State::ok, "ok" + stay}, ""};
}

CellFinding growing_memory(const Recording& pass) {
  if (pass.cycles.size() == 1) return objects_kept_in_one_cycle(pass);
  if (CellFinding objects = objects_kept(pass); !objects.finding.empty()) return objects;
  CellFinding calm;
  for (const GaugeRule& rule : gauge_rules(pass)) {
    const bool bytes = gauge_info(rule.gauge).unit == Unit::bytes;
    if (!bytes || rule.role != Role::decides) continue;
    CellFinding risen = floor_risen(pass, rule);
    if (!risen.finding.empty()) return risen;
    if (risen.cell.state == State::ok) calm = std::move(risen);
  }
  return calm;
}

ModeCell event_loop_cell(const Recording& pass, const Recording& main) {
  if (pass.loop_activities.empty()) return {};
  const std::vector<double> turns = longest_turns(pass);
  if (is_blocked(turns, longest_turns(main)))
    return {State::bad, "blocked for " + duration_text(turns.back())};
  if (least_settle_share(pass) >= spinning_share && least_settle_share(main) < spinning_share)
    return {State::bad, "never at rest"};
  return {State::ok, "ok"};
}

}  // namespace ebbtide
