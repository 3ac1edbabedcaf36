#include "analysis/growth.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <utility>

#include "analysis/design.h"
#include "simulated_server.h"

namespace ebbtide {
namespace {

constexpr double resolution = 112;

struct Server {
  double per_connection = 0;
  double per_cycle = 0;
  double per_second = 0;
  double late = 0;
  double reading_noise = 0;  // standard deviation of a reading
  double jump = 0;           // of memory that comes or goes in every third cycle or so
};

// The steps of a designed run after its first cycle.
std::vector<FloorStep> steps_of(const Server& server, std::uint32_t cycles, std::uint64_t seed) {
  SplitMix64 random(seed);
  std::vector<FloorStep> steps;
  double last_dose = 0;
  double error = server.reading_noise * normal(random);
  for (const std::uint32_t dose : plan_doses(cycles, 100)) {
    FloorStep step{static_cast<double>(dose), 0.3 + 0.003 * dose + 0.05 * random.unit(), 0, 0};
    if (dose > 0) step.dose_change = dose - std::exchange(last_dose, dose);
    step.growth = server.per_connection * dose + server.per_second * step.seconds +
                  server.late * step.dose_change + (dose > 0 ? server.per_cycle : 0);
    if (random.unit() < 0.3) step.growth += server.jump * normal(random);
    step.growth -= error;
    error = server.reading_noise * normal(random);
    step.growth += error;
    steps.push_back(step);
  }
  steps.erase(steps.begin());
  return steps;
}

GrowthFit fit(const std::vector<FloorStep>& steps) {
  return fit_growth(steps, separable_columns(steps), resolution);
}

TEST(GrowthTest, TellsConnectionCycleAndSecondApart) {
  const GrowthFit found = fit(steps_of({64, 5000, 20'000, 300, 0, 0}, 10, 1));
  EXPECT_NEAR(found.per_connection.center(), 64, 0.01);
  EXPECT_NEAR(found.per_cycle, 5000, 1);
  EXPECT_NEAR(found.per_second, 20'000, 1);
}

// Of the 95 % interval, on servers of quiet and noisy readings, steady and jumping heaps.
TEST(GrowthTest, TheIntervalCoversAsOftenAsItSays) {
  int covered = 0;
  int runs = 0;
  for (const double reading_noise : {200.0, 5000.0}) {
    for (const double jump : {0.0, 20'000.0, 100'000.0}) {
      for (std::uint64_t seed = 1; seed <= 60; ++seed, ++runs) {
        const auto steps = steps_of({500, 3000, 10'000, 200, reading_noise, jump}, 10, seed);
        const Interval interval = fit(steps).per_connection.interval(0.95);
        covered += interval.low <= 500 && 500 <= interval.high;
      }
    }
  }
  EXPECT_GE(covered, 0.92 * runs);
  EXPECT_LE(covered, 0.99 * runs);
}

TEST(GrowthTest, AShiftOfAllReadingsChangesNothingAndAScaleScales) {
  for (std::uint64_t seed = 1; seed <= 20; ++seed) {
    auto steps = steps_of({500, 0, 0, 0, 5000, 20'000}, 10, seed);
    const GrowthFit once = fit_growth(steps, separable_columns(steps), 0.001);
    for (FloorStep& step : steps) step.growth *= -8;  // a shift is not in the steps at all
    const GrowthFit scaled = fit_growth(steps, separable_columns(steps), 0.008);
    EXPECT_NEAR(scaled.per_connection.center(), -8 * once.per_connection.center(), 0.01);
    const Interval interval = once.per_connection.interval(0.95);
    EXPECT_NEAR(scaled.per_connection.interval(0.95).high, -8 * interval.low, 0.1);
  }
}

// In the other direction of time the same connections leave the same.
TEST(GrowthTest, TheOrderReversedGivesTheSameGrowth) {
  auto steps = steps_of({500, 0, 0, 0, 5000, 20'000}, 10, 3);
  const GrowthColumns columns = separable_columns(steps);
  const double forward = fit_growth(steps, columns, resolution).per_connection.center();
  std::ranges::reverse(steps);
  EXPECT_NEAR(fit_growth(steps, columns, resolution).per_connection.center(), forward, 1);
}

TEST(GrowthTest, NothingIsKnownOfTooLittle) {
  EXPECT_FALSE(fit({}).per_connection.known());
  EXPECT_FALSE(fit({{100, 1, 5, 0}, {100, 1, 5, 0}}).per_connection.known());
  EXPECT_FALSE(fit(std::vector<FloorStep>(10, {0, 1, 5, 0})).per_connection.known());
  EXPECT_EQ(GrowthEstimate().quantile(0.5), 0);
}

TEST(GrowthTest, EqualReadingsAndAStandingClockGiveNumbers) {
  for (const double seconds : {0.0, -1.0}) {
    const std::vector<FloorStep> steps(10, {100, seconds, 0, 0});
    const Interval interval = fit(steps).per_connection.interval(0.95);
    EXPECT_LE(interval.low, 0);
    EXPECT_GE(interval.high, 0);
    EXPECT_LT(interval.high, 2);  // the resolution, shared among a hundred
  }
}

}  // namespace
}  // namespace ebbtide
