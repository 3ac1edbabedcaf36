#include "analysis/judge.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <utility>

#include "analysis/format.h"

namespace ebbtide {
namespace {

constexpr std::size_t steps_needed = 3;
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

// How much a step scatters, the first one's warm-up aside.
double step_noise(std::span<const FloorStep> steps) {
  std::vector<double> growth;
  for (const FloorStep& step : steps.subspan(std::min<std::size_t>(1, steps.size()))) {
    growth.push_back(step.growth);
  }
  return scaled_mad(growth);
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

std::string drift_clause(const Drift& drift, double seconds, double noticed, Unit unit) {
  if (!drift.believed || drift.per_second * seconds < noticed) return "";
  return fmt::format("; {} per second come with the clock, whether or not anyone connects",
                     amount_text(drift.per_second, unit));
}

// Everything judge_floor() weighs.
struct Floor {
  std::vector<FloorStep> steps;  // of the whole run
  std::vector<FloorPoint> used;  // after the warm-up
  Drift drift;
  double connections = 0;  // after the first cycle
  double grown = 0;        // after the first cycle, less the clock's share
  Shape shape;
};

void decide(Judgement& judgement, const Floor& floor, bool without_drift_leaks) {
  const Unit unit = judgement.unit;
  const std::string limit = per_connection(judgement.limit, unit);
  const bool grew = floor.grown >= judgement.limit * floor.connections;
  const std::string stopped =
      fmt::format("grew by {} after the first cycle, then stopped: {} in the last third of the run",
                  amount_text(floor.grown, unit), per_connection(floor.shape.last, unit));
  if (grew && floor.shape.stopped()) {
    judgement.verdict = Verdict::saturating;
    judgement.reason = stopped;
  } else if (judgement.interval.low > judgement.limit && floor.shape.stalled) {
    judgement.reason =
        "grew in every cycle but the last: more cycles tell whether that was its end";
  } else if (judgement.interval.low > judgement.limit) {
    judgement.verdict = Verdict::leak;
    judgement.reason = fmt::format("still growing at the end: {} in the last third of the run",
                                   per_connection(floor.shape.last, unit));
  } else if (judgement.interval.high < judgement.limit) {
    judgement.verdict = grew ? Verdict::saturating : Verdict::no_leak;
    judgement.reason = grew ? stopped : "below the limit of " + limit;
  } else {
    judgement.verdict = Verdict::inconclusive;
    judgement.reason = "the interval holds the limit of " + limit;
    if (without_drift_leaks) {
      judgement.reason += "; the idle controls do not agree on how much of it is the clock's";
    }
  }
}

// Sets aside the warm-up, fits the rest. False when too little is left to be judged.
bool measure(const FloorSeries& series, const GaugeRule& rule, const BootstrapPlan& plan,
             Floor& floor, Judgement& judgement) {
  floor.steps = steps_of(series.points);
  floor.drift = idle_drift(series.idle, step_noise(floor.steps));
  judgement.drift_per_second = floor.drift.per_second;
  std::vector<double> rates;
  for (std::size_t i = 0; i < floor.steps.size(); ++i) {
    const FloorStep& step = floor.steps[i];
    const double growth = step.growth - floor.drift.per_second * step.seconds;
    rates.push_back(growth / step.connections);
    if (i == 0) continue;
    floor.connections += step.connections;
    floor.grown += growth;
  }
  judgement.limit = rule.threshold.limit(floor.connections);
  const std::size_t warm_up = warm_up_steps(rates, judgement.limit);
  judgement.warm_up_cycles = static_cast<std::uint32_t>(warm_up);
  if (series.points.size() <= warm_up) return false;
  floor.used = thinned(std::span(series.points).subspan(warm_up));
  judgement.points = static_cast<std::uint32_t>(floor.used.size());
  std::vector<Sample> samples;
  for (const FloorPoint& point : floor.used) {
    samples.push_back({point.connections, point.value - floor.drift.per_second * point.seconds});
  }
  const auto slope = theil_sen(samples);
  if (!slope) return false;
  judgement.per_connection = *slope;
  judgement.interval = growth_interval(steps_of(floor.used), floor.drift, *slope, plan);
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

Judgement judge_floor(const FloorSeries& series, const GaugeRule& rule, const BootstrapPlan& plan) {
  Judgement judgement;
  judgement.evidence = Judgement::Evidence::gauge;
  judgement.gauge = rule.gauge;
  judgement.subject = rule.subject;
  judgement.unit = gauge_info(rule.gauge).unit;
  Floor floor;
  if (!measure(series, rule, plan, floor, judgement)) {
    judgement.estimated = false;
    judgement.reason =
        fmt::format("too little to go by ({} and {} after the first cycle)",
                    counted(judgement.points, "settle point"),
                    counted(static_cast<std::uint64_t>(floor.connections), "connection"));
    apply_role(judgement, rule.role, rule.aside, false);
    return judgement;
  }
  const bool without_drift_leaks =
      !floor.drift.believed && !floor.drift.rates.empty() &&
      growth_interval(steps_of(floor.used), {}, judgement.per_connection, plan).low >
          judgement.limit;
  decide(judgement, floor, without_drift_leaks);
  if (series.idle.empty() && judgement.verdict == Verdict::leak) {
    judgement.reason += "; no idle control tells how much of it is the clock's";
  }
  judgement.reason += drift_clause(floor.drift, series.points.back().seconds,
                                   judgement.limit * floor.connections, judgement.unit);
  apply_role(judgement, rule.role, rule.aside, floor.shape.least > rule.threshold.per_connection);
  return judgement;
}

}  // namespace ebbtide
