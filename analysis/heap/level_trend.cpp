#include "analysis/heap/level_trend.h"

#include <algorithm>
#include <set>

#include "analysis/series.h"
#include "analysis/statistics.h"

namespace ebbtide {
namespace {

constexpr double objects_per_step = 4;  // fewer come and go in any runtime
constexpr double objects_per_connection = 0.002;
constexpr double least_share = 0.25;  // of the typical rate, for a step to count as grown
constexpr std::size_t steps_per_exception = 5;
constexpr std::size_t steps_to_see_an_end = 3;
constexpr std::size_t points_at_most = 64;  // the slope looks at every pair

// Levels at the looks that end a step with connections, and what came in idle stretches.
FloorSeries floor_of(const LookSeries& series, std::span<const std::uint64_t> levels) {
  FloorSeries floor;
  for (std::size_t i = 0; i < series.looks.size(); ++i) {
    const LookPoint& look = series.looks[i];
    const double value = static_cast<double>(static_cast<std::int64_t>(levels[i] - levels[0]));
    const FloorPoint point{look.cycle, look.connections, look.seconds, value};
    if (floor.points.empty() || floor.points.back().connections != point.connections) {
      floor.points.push_back(point);
      continue;
    }
    FloorPoint& last = floor.points.back();
    floor.idle.push_back({0, point.seconds - last.seconds, point.value - last.value});
    last = point;
  }
  return floor;
}

// What came in stretches without connections. Counts are exact, so that whatever came then came by
// the clock; how much of it comes varies with how busy the server is.
struct ClockShare {
  double per_second = 0;
  double spread = 0;  // by how much it was more at times
};

ClockShare clock_share(const FloorSeries& floor) {
  std::vector<double> rates;
  for (const FloorStep& idle : floor.idle) {
    if (idle.seconds > 0) rates.push_back(idle.growth / idle.seconds);
  }
  if (rates.size() < 2) return {};
  const double highest = *std::ranges::max_element(rates);
  const double typical = median(rates);
  if (typical <= 0) return {};
  return {typical, highest - typical};
}

// The changes with the clock's share taken off.
std::vector<FloorStep> steps_without(const ClockShare& clock, const FloorSeries& floor) {
  std::vector<FloorStep> steps = steps_of(floor.points);
  for (FloorStep& step : steps) step.growth -= clock.per_second * step.seconds;
  return steps;
}

std::vector<double> rates_of(std::span<const FloorStep> steps) {
  std::vector<double> rates;
  for (const FloorStep& step : steps) rates.push_back(step.growth / step.connections);
  return rates;
}

double robust_slope(std::span<const FloorStep> steps) {
  if (steps.empty()) return 0;
  std::vector<Sample> samples = {{0, 0}};
  for (const FloorStep& step : steps) {
    samples.push_back({samples.back().x + step.connections, samples.back().y + step.growth});
  }
  const std::size_t stride = (samples.size() + points_at_most - 1) / points_at_most;
  std::vector<Sample> thinned;
  for (std::size_t i = (samples.size() - 1) % stride; i < samples.size(); i += stride) {
    thinned.push_back(samples[i]);
  }
  return theil_sen(thinned).value_or(0);
}

// Of the steps after the warm-up, where enough are left to judge by.
double settled_slope(std::span<const FloorStep> steps) {
  if (steps.size() <= steps_to_see_an_end) return robust_slope(steps);
  return robust_slope(steps.subspan(warm_up_steps(rates_of(steps), 0)));
}

// Whether the last third brought at most half of what is usual before it.
bool slowed(std::span<const double> rates) {
  const std::size_t third = std::max<std::size_t>(1, rates.size() / 3);
  const auto earlier = rates.first(rates.size() - third);
  const auto last = rates.last(third);
  const double before = median(std::vector<double>(earlier.begin(), earlier.end()));
  return median(std::vector<double>(last.begin(), last.end())) <= before / 2;
}

// Grew in at least two steps, never fell back, and stands still.
bool filled_up(std::span<const FloorStep> steps, std::span<const double> rates) {
  if (steps.size() < steps_to_see_an_end) return false;
  std::size_t grown = 0;
  double highest = 0;
  for (std::size_t i = 0; i < steps.size(); ++i) {
    if (steps[i].growth >= objects_per_step) ++grown;
    if (steps[i].growth < -objects_per_step) return false;
    highest = std::max(highest, rates[i]);
  }
  return grown >= 2 && rates.back() <= highest / 2;
}

}  // namespace

std::size_t LookSeries::steps_with_connections() const {
  std::size_t steps = 0;
  for (std::size_t i = 1; i < looks.size(); ++i) {
    if (looks[i].connections != looks[i - 1].connections) ++steps;
  }
  return steps;
}

LookSeries look_series(const Recording& recording, const std::string& isolate) {
  LookSeries series;
  series.counts_connections = !recording.cycles.empty();
  std::set<std::uint32_t> seen;
  std::uint64_t first_ns = 0;
  for (const HeapCensus& census : recording.heap_censuses) {
    if (census.isolate != isolate || !seen.insert(census.cycle).second) continue;
    if (series.looks.empty()) first_ns = census.ts_ns;
    const auto elapsed = static_cast<std::int64_t>(census.ts_ns - first_ns);
    series.looks.push_back({census.cycle, 0, static_cast<double>(elapsed) * 1e-9});
  }
  std::ranges::sort(series.looks, {}, &LookPoint::cycle);
  for (std::size_t i = 0; i < series.looks.size(); ++i) {
    LookPoint& look = series.looks[i];
    if (!series.counts_connections) look.connections = static_cast<double>(i);
    for (const Cycle& cycle : recording.cycles) {
      if (cycle.number <= look.cycle) look.connections += cycle.established;
    }
  }
  return series;
}

LevelTrend trend_of(const LookSeries& series, std::span<const std::uint64_t> levels) {
  if (levels.size() != series.looks.size() || levels.empty()) return {};
  if (levels.back() < levels.front() + static_cast<std::uint64_t>(objects_per_step)) return {};
  const FloorSeries floor = floor_of(series, levels);
  const ClockShare clock = clock_share(floor);
  const std::vector<FloorStep> steps = steps_without(clock, floor);
  if (steps.empty()) return {};
  const std::vector<double> rates = rates_of(steps);
  if (steps.size() == 1) {
    const bool grew = steps.front().growth >= objects_per_step;
    return {grew ? Trend::grows : Trend::none, rates.front()};
  }
  const double typical = median(rates);
  std::vector<double> growths;
  std::size_t exceptions = 0;
  for (std::size_t i = 0; i < steps.size(); ++i) {
    growths.push_back(steps[i].growth);
    // How many connections a person's steps between two snapshots had is not known.
    const double least = series.counts_connections ? least_share * typical : 0;
    const bool by_clock = steps[i].growth <= clock.spread * steps[i].seconds;
    if (by_clock || rates[i] < least) ++exceptions;
  }
  const bool enough = median(growths) >= objects_per_step &&
                      (!series.counts_connections || typical >= objects_per_connection);
  const double slope = settled_slope(steps);
  if (enough && exceptions <= steps.size() / steps_per_exception) {
    return {slowed(rates) ? Trend::bounded : Trend::grows, slope};
  }
  if (filled_up(steps, rates)) return {Trend::bounded, slope};
  return {};
}

double slope_of(const LookSeries& series, std::span<const std::uint64_t> levels) {
  if (levels.size() != series.looks.size() || levels.empty()) return 0;
  const FloorSeries floor = floor_of(series, levels);
  return settled_slope(steps_without(clock_share(floor), floor));
}

}  // namespace ebbtide
