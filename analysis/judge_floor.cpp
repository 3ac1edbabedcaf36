#include "analysis/judge.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <utility>

#include "analysis/format.h"
#include "analysis/growth.h"

namespace ebbtide {
namespace {

constexpr std::size_t steps_needed = 3;
constexpr std::size_t steps_to_clear = 4;  // with fewer a warm-up may hide a leak
constexpr double connections_needed = 20;
// The slope looks at every pair of points, in every resample: more points are thinned out.
constexpr std::size_t points_at_most = 64;

constexpr double stall_share = 0.75;
constexpr double stall_mads = 3.5;

// How the slope goes along the run. "Stopped" means less than half of what came before.
struct Shape {
  double earlier = 0;    // slope before the last third
  double last = 0;       // slope of the last third
  bool stalled = false;  // the last step alone stood still
  double least = 0;      // the smallest of the three thirds' slopes

  [[nodiscard]] bool stopped() const { return last < earlier / 2; }
};

std::vector<FloorPoint> thinned(std::span<const FloorPoint> points) {
  const std::size_t stride = (points.size() + points_at_most - 1) / points_at_most;
  std::vector<FloorPoint> kept;
  // Counted from the end, so that the last point stays.
  for (std::size_t i = (points.size() - 1) % stride; i < points.size(); i += stride) {
    kept.push_back(points[i]);
  }
  return kept;
}

// Whether the last step stands still although the steps before it grew: with one such step nobody
// can tell a full cache from a leak.
bool stalled(std::span<const Sample> samples, double slope) {
  std::vector<double> rates;
  for (std::size_t i = 1; i < samples.size(); ++i) {
    rates.push_back((samples[i].y - samples[i - 1].y) / (samples[i].x - samples[i - 1].x));
  }
  const double shortfall = slope - rates.back();
  return shortfall > stall_share * slope && shortfall > stall_mads * scaled_mad(rates);
}

Shape shape_of(std::span<const Sample> samples) {
  const std::size_t steps = samples.size() - 1;
  const std::size_t third = std::max<std::size_t>(1, steps / 3);
  const auto slope = [&](std::size_t from, std::size_t to) {
    return theil_sen(samples.subspan(from, to - from + 1)).value_or(0);
  };
  Shape shape;
  shape.earlier = slope(0, steps - third);
  shape.last = slope(steps - third, steps);
  shape.least = std::min({slope(0, third), slope(third, steps - third), shape.last});
  return shape;
}

std::string per_connection(double value, Unit unit) {
  return amount_text(value, unit) + " per connection";
}

// Everything judge_floor() weighs.
struct Floor {
  std::vector<FloorStep> steps;  // after the warm-up, idle ones too
  GrowthColumns columns;
  GrowthFit apart;         // the connections' growth apart from the cycles' and the clock's
  Interval whole;          // all growth, whoever brought it, shared among the connections
  double clean = 0;        // what clean servers end with, per connection
  double leak = 0;         // what a leak must stand clear of, per connection
  double most = 0;         // the largest limit at which a run is called clean
  double connections = 0;  // after the first cycle
  double grown = 0;        // after the first cycle, less the clock's share
  bool settled = false;    // after the warm-up the level as a whole grew by less than `most`
  Shape shape;
};

std::string drift_clause(const Judgement& judgement, double seconds, double noticed) {
  if (judgement.drift_per_second * seconds < noticed) return "";
  return fmt::format("; {} per second come with the clock, whether or not anyone connects",
                     amount_text(judgement.drift_per_second, judgement.unit));
}

void decide(Judgement& judgement, const Floor& floor) {
  const Unit unit = judgement.unit;
  const bool grew = floor.grown >= floor.most * floor.connections;
  const bool leaks = judgement.interval.low > floor.leak && floor.whole.low > floor.leak;
  if (leaks && (floor.shape.stalled || floor.shape.stopped())) {
    judgement.reason =
        "grew in every cycle but the last: more cycles tell whether that was its end";
  } else if (leaks) {
    judgement.verdict = Verdict::leak;
    judgement.reason = fmt::format("still growing at the end: {} in the last third of the run",
                                   per_connection(floor.shape.last, unit));
  } else if (judgement.interval.high < judgement.limit && judgement.points <= steps_to_clear) {
    judgement.reason =
        fmt::format("no sign of a leak, but {} after the warm-up are too few to say that",
                    counted(judgement.points - 1, "cycle"));
  } else if (judgement.interval.high < judgement.limit && !floor.settled) {
    judgement.reason = "the level grew on, but not in proportion to the connections";
  } else if (judgement.interval.high < judgement.limit) {
    judgement.verdict = grew ? Verdict::saturating : Verdict::no_leak;
    judgement.reason =
        grew ? fmt::format(
                   "grew by {} after the first cycle, then stopped: {} in the last third "
                   "of the run",
                   amount_text(floor.grown, unit), per_connection(floor.shape.last, unit))
             : "a leak of more than " + per_connection(judgement.limit, unit) +
                   " would have been seen";
  } else if (judgement.interval.low > floor.leak) {
    judgement.reason = "more came with larger doses, but the level as a whole did not follow";
  } else {
    judgement.reason = fmt::format("the interval holds {}, from which on a leak could be told",
                                   per_connection(judgement.limit, unit));
  }
}

// The clock's share where it is told from nothing: growth by it is what idle stretches show too.
double clock_share(const FloorSeries& series, const Floor& floor) {
  if (!floor.columns.per_second || series.idle.empty()) return 0;
  std::vector<double> growth;
  for (const FloorStep& step : floor.steps) growth.push_back(step.growth);
  const Drift drift = idle_drift(series.idle, scaled_mad(growth));
  if (drift.rates.size() == 1) return std::max(0.0, floor.apart.per_second);
  return drift.believed ? drift.per_second : 0;
}

void fit(const GaugeRule& rule, double confidence, Floor& floor, Judgement& judgement) {
  floor.columns = separable_columns(floor.steps);
  floor.apart = fit_growth(floor.steps, floor.columns, rule.resolution);
  const GrowthFit whole = fit_growth(floor.steps, {.late = floor.columns.late}, rule.resolution);
  if (!floor.apart.per_connection.known()) floor.apart = whole;
  const Interval apart = floor.apart.per_connection.interval(confidence);
  floor.whole = whole.per_connection.interval(confidence);
  // Connections cannot have left more than came in all. When the estimate says they did, what came
  // tells, and the interval holds both: what two intervals share would be too narrow.
  const double most = std::min(apart.high, floor.whole.high);
  const double estimate = floor.apart.per_connection.center();
  const bool too_much = estimate > most;
  judgement.per_connection = too_much ? whole.per_connection.center() : estimate;
  judgement.per_cycle = floor.apart.per_cycle;
  judgement.interval = {too_much ? std::min(apart.low, floor.whole.low) : apart.low, most};
  const double reach = std::min(apart.high - apart.low, floor.whole.high - floor.whole.low);
  judgement.limit = std::min(floor.most, floor.clean + reach);
}

// Sets aside the warm-up, fits the rest. False when too little is left to be judged.
bool measure(const FloorSeries& series, const GaugeRule& rule, double confidence, Floor& floor,
             Judgement& judgement) {
  const std::vector<FloorStep> driven = steps_of(series.points);
  for (std::size_t i = 1; i < driven.size(); ++i) floor.connections += driven[i].connections;
  floor.most = rule.threshold.limit(floor.connections);
  floor.clean = rule.clean.limit(floor.connections);
  floor.leak = rule.leak.limit(floor.connections);
  judgement.limit = floor.most;
  const std::size_t warm_up = warm_up_cycles(steps_of(series.readings), rule.resolution);
  judgement.warm_up_cycles = static_cast<std::uint32_t>(warm_up);
  if (series.points.size() <= warm_up) return false;
  judgement.points = static_cast<std::uint32_t>(series.points.size() - warm_up);
  const auto first = std::ranges::find(series.readings, series.points[warm_up].connections,
                                       &FloorPoint::connections);
  floor.steps = steps_of(std::span(first, series.readings.end()));
  fit(rule, confidence, floor, judgement);
  judgement.drift_per_second = clock_share(series, floor);
  for (std::size_t i = 1; i < driven.size(); ++i) {
    floor.grown += driven[i].growth - judgement.drift_per_second * driven[i].seconds;
  }
  std::vector<Sample> samples;
  for (const FloorPoint& point : thinned(std::span(series.points).subspan(warm_up))) {
    samples.push_back({point.connections, point.value - judgement.drift_per_second * point.seconds -
                                              floor.apart.late * point.dose});
  }
  const auto& [from, to] = std::pair(samples.front(), samples.back());
  floor.settled = to.y - from.y < floor.most * (to.x - from.x);
  const auto slope = theil_sen(samples);
  if (!slope) return false;
  floor.shape = shape_of(samples);
  floor.shape.stalled = stalled(samples, *slope);
  return samples.size() > steps_needed && floor.connections >= connections_needed;
}

}  // namespace

void apply_role(Judgement& judgement, Role role, const std::string& aside, bool steady) {
  const bool leak = judgement.verdict == Verdict::leak;
  judgement.decisive =
      role == Role::decides || (role == Role::decides_when_steady && leak && steady);
  if (!judgement.decisive && !aside.empty()) judgement.reason += " (has no say: " + aside + ")";
}

Judgement judge_floor(const FloorSeries& series, const GaugeRule& rule, double confidence) {
  Judgement judgement;
  judgement.evidence = Judgement::Evidence::gauge;
  judgement.gauge = rule.gauge;
  judgement.subject = rule.subject;
  judgement.unit = gauge_info(rule.gauge).unit;
  Floor floor;
  if (!measure(series, rule, confidence, floor, judgement)) {
    judgement.estimated = false;
    judgement.reason =
        fmt::format("too little to go by ({} and {} after the first cycle)",
                    counted(judgement.points, "settle point"),
                    counted(static_cast<std::uint64_t>(floor.connections), "connection"));
    apply_role(judgement, rule.role, rule.aside, false);
    return judgement;
  }
  decide(judgement, floor);
  if (series.idle.empty() && judgement.verdict == Verdict::leak) {
    judgement.reason += "; no idle control tells how much of it is the clock's";
  }
  judgement.reason +=
      drift_clause(judgement, series.points.back().seconds, judgement.limit * floor.connections);
  apply_role(judgement, rule.role, rule.aside, floor.shape.least > rule.threshold.per_connection);
  return judgement;
}

}  // namespace ebbtide
