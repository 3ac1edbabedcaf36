#include "analysis/load/levels.h"

#include <algorithm>
#include <map>

#include "analysis/load/level_line.h"
#include "analysis/load/levels_answer.h"
#include "analysis/load/limit.h"
#include "recording/span.h"

namespace ebbtide {
namespace {

using Connections = std::vector<const Connection*>;

// Cycles of connections that began, finished or not.
std::map<std::uint32_t, Connections> connections_by_level(const Recording& recording) {
  std::map<std::uint32_t, Connections> levels;
  for (const Cycle& cycle : recording.cycles) levels[cycle.number];
  for (const PhaseSpan& span : recording.phases) levels[span.cycle];
  for (const Connection& connection : recording.connections) {
    levels[connection.cycle].push_back(&connection);
  }
  levels.erase(0);
  return levels;
}

const Cycle* finished_cycle(const Recording& recording, std::uint32_t number) {
  const auto found = std::ranges::find(recording.cycles, number, &Cycle::number);
  return found == recording.cycles.end() ? nullptr : &*found;
}

// A SYN that is not answered is sent again after 1 s, and that one after 2 s more (RFC 6298).
void count_lost_syns(LevelReport& level, double connect_seconds) {
  level.near_1s += connect_seconds >= 0.95 && connect_seconds < 1.6;
  level.near_3s += connect_seconds >= 2.95 && connect_seconds < 3.6;
}

// One step of the way up: the time from the last moment reached to this one.
struct Way {
  std::uint64_t reached_ns = 0;

  void step(std::uint64_t ns, std::vector<double>& seconds) {
    if (ns == 0 || ns < reached_ns) return;
    seconds.push_back(span_seconds(reached_ns, ns));
    reached_ns = ns;
  }
};

void add_latencies(LevelReport& level, const Connections& connections) {
  std::vector<double> connect;
  std::vector<double> secure;
  std::vector<double> upgrade;
  std::vector<double> answer;
  std::vector<double> whole;
  for (const Connection* connection : connections) {
    level.scheduled = level.scheduled || connection->scheduled_ns != 0;
    const std::uint64_t start_ns =
        connection->scheduled_ns != 0 ? connection->scheduled_ns : connection->start_ns;
    if (connection->connected_ns != 0) {
      count_lost_syns(level, span_seconds(connection->start_ns, connection->connected_ns));
    }
    Way way{start_ns};
    way.step(connection->connected_ns, connect);
    way.step(connection->secured_ns, secure);
    way.step(connection->upgraded_ns, upgrade);
    way.step(connection->answered_ns, answer);
    if (connection->established_ns != 0) {
      whole.push_back(span_seconds(start_ns, connection->established_ns));
    }
  }
  level.connect = latencies_of(std::move(connect));
  level.secure = latencies_of(std::move(secure));
  level.upgrade = latencies_of(std::move(upgrade));
  level.answer = latencies_of(std::move(answer));
  level.whole = latencies_of(std::move(whole));
}

void add_outcomes(const Recording& recording, LevelReport& level, const Connections& connections) {
  const PhaseSpan* hold = phase_of(recording, level.cycle, Phase::hold);
  std::uint64_t first_ns = 0;
  std::uint64_t last_ns = 0;
  for (const Connection* connection : connections) {
    if (first_ns == 0 || connection->start_ns < first_ns) first_ns = connection->start_ns;
    if (connection->established_ns == 0) continue;
    ++level.established;
    last_ns = std::max(last_ns, connection->established_ns);
    const bool gone =
        hold != nullptr && connection->closed_ns != 0 && connection->closed_ns < hold->end_ns;
    level.open += !gone && connection->failed_at != Stage::hold;
  }
  if (last_ns > first_ns) level.establish_seconds = span_seconds(first_ns, last_ns);
  level.failures = failure_reasons(connections);
}

void add_traffic(const Recording& recording, LevelReport& level) {
  for (const DriverLoad& load : recording.driver_loads) {
    if (load.cycle != level.cycle || load.phase != Phase::hold || load.span_ns == 0) continue;
    const double seconds = static_cast<double>(load.span_ns) * 1e-9;
    level.received_per_second = static_cast<double>(load.messages_received) / seconds;
    level.sent_per_second = static_cast<double>(load.messages_sent) / seconds;
  }
}

// By how much a count since boot rose in the level, up to the last reading there is.
std::optional<std::uint64_t> rise(const Readings& readings, GaugeKind kind, std::uint32_t cycle) {
  const auto before = readings.floor_before(kind, cycle);
  if (!before) return std::nullopt;
  for (const Point point : {Point::settled, Point::closed, Point::held, Point::opened}) {
    const auto after = readings.at(kind, point, cycle);
    if (after) return static_cast<std::uint64_t>(std::max<std::int64_t>(0, *after - *before));
  }
  return std::nullopt;
}

LevelReport report_of(const Recording& recording, const Readings& readings, std::uint32_t number,
                      const Connections& connections) {
  LevelReport level;
  level.cycle = number;
  add_outcomes(recording, level, connections);
  add_latencies(level, connections);
  add_traffic(recording, level);
  level.attempted = connections.size();
  if (const Cycle* cycle = finished_cycle(recording, number)) {
    level.finished = true;
    level.attempted = std::max<std::uint64_t>(level.attempted, cycle->dose);
  }
  level.uses = levels_of_use(readings, number);
  level.cpu = cpu_uses(recording, readings, number);
  level.loops = loop_uses(recording, number);
  level.overflows = rise(readings, GaugeKind::listen_overflows, number);
  level.drops = rise(readings, GaugeKind::listen_drops, number);
  const auto swap_before = readings.floor_before(GaugeKind::swap, number);
  const auto swap_held = readings.at(GaugeKind::swap, Point::held, number);
  if (swap_before && swap_held) level.swapped = *swap_held - *swap_before;
  level.driver_share = driver_share(recording, number, Phase::open);
  return level;
}

// What is reachable in the heaps at the settled level before the cycle: V8's and outside it.
double live_floor(const Readings& readings, std::uint32_t cycle) {
  const auto heap = readings.floor_before(GaugeKind::heap_live, cycle);
  const auto external = readings.floor_before(GaugeKind::heap_live_external, cycle);
  return static_cast<double>(heap.value_or(0)) + static_cast<double>(external.value_or(0));
}

// What the level's connections take. Resident memory that earlier levels left free is used again,
// so it is counted from the baseline, less what earlier levels left in use.
std::optional<double> taken(const Readings& readings, const LevelOfUse& use, std::uint32_t cycle) {
  const bool resident = use.kinds.front() == GaugeKind::rss || use.kinds.front() == GaugeKind::pss;
  if (!resident) return use.growth();
  const auto baseline = readings.floor_before(use.kinds.front(), 1);
  if (!use.held || !baseline) return std::nullopt;
  return *use.held - static_cast<double>(*baseline) -
         (live_floor(readings, cycle) - live_floor(readings, 1));
}

ConnectionCost cost_of(const std::string& subject, const Readings& readings,
                       const std::vector<LevelReport>& levels, double confidence) {
  ConnectionCost cost{.subject = subject};
  std::vector<Sample> samples;
  for (const LevelReport& level : levels) {
    const auto use = std::ranges::find(level.uses, subject, &LevelOfUse::subject);
    if (!level.finished || level.open == 0 || use == level.uses.end()) continue;
    const std::optional<double> growth = taken(readings, *use, level.cycle);
    if (!growth) continue;
    const auto open = static_cast<double>(level.open);
    samples.push_back({open, *growth});
    if (open <= cost.largest) continue;
    cost.largest = open;
    cost.at_largest = *growth / open;
  }
  cost.levels = static_cast<std::uint32_t>(samples.size());
  if (const auto line = level_line(samples, confidence)) {
    cost.per_connection = line->slope;
    cost.interval = line->interval;
    cost.fixed = line->intercept;
  }
  return cost;
}

std::vector<ConnectionCost> costs_of(const Readings& readings,
                                     const std::vector<LevelReport>& levels, double confidence) {
  std::vector<ConnectionCost> costs;
  for (const LevelReport& level : levels) {
    for (const LevelOfUse& use : level.uses) {
      const auto known = std::ranges::find(costs, use.subject, &ConnectionCost::subject);
      if (use.unit != Unit::bytes || known != costs.end()) continue;
      costs.push_back(cost_of(use.subject, readings, levels, confidence));
    }
  }
  return costs;
}

}  // namespace

LevelsAssessment assess_levels(const Recording& recording) {
  LevelsAssessment assessment;
  const Readings readings(recording);
  for (const auto& [number, connections] : connections_by_level(recording)) {
    assessment.levels.push_back(report_of(recording, readings, number, connections));
  }
  assessment.costs = costs_of(readings, assessment.levels, assessment.confidence);
  assessment.limit = find_limit(recording, assessment.levels);
  const bool own = assessment.limit.cause == LimitCause::own_limit;
  for (std::size_t i = 0; i < assessment.levels.size(); ++i) {
    const LevelReport& level = assessment.levels[i];
    const bool past_limit =
        assessment.limit.cause != LimitCause::none && !own && i >= assessment.limit.level;
    if (level.finished && !past_limit) assessment.held = std::max(assessment.held, level.open);
  }
  assessment.opening_bound = opening_bound(recording, assessment);
  assessment.extrapolation = extrapolation(assessment);
  assessment.sentence = levels_sentence(recording, assessment);
  return assessment;
}

}  // namespace ebbtide
