// What holds for every floor and every recording, not only for those somebody thought of. A failure
// prints the smallest counterexample, and how to repeat it.
#include <gtest/gtest.h>
#include <rapidcheck.h>

#include <algorithm>
#include <cmath>
#include <limits>
#include <utility>

#include "analysis/design.h"
#include "analysis/growth.h"
#include "analysis/judge.h"
#include "analysis_recordings.h"

#include <rapidcheck/gtest.h>  // needs GoogleTest before it

namespace ebbtide {
namespace {

constexpr double resolution = 112;
constexpr double confidence = 0.95;

// Steps of a designed run, each with a growth in bytes that may be anything up to a megabyte.
std::vector<FloorStep> designed_steps() {
  const auto cycles = *rc::gen::inRange<std::uint32_t>(6, 20);
  std::vector<FloorStep> steps;
  double last_dose = 0;
  for (const std::uint32_t dose : plan_doses(cycles, 100)) {
    FloorStep step{static_cast<double>(dose), *rc::gen::inRange(100, 900) * 1e-3,
                   static_cast<double>(*rc::gen::inRange(-1 << 20, 1 << 20)), 0};
    if (dose > 0) step.dose_change = dose - std::exchange(last_dose, dose);
    steps.push_back(step);
  }
  return steps;
}

GrowthFit fit(const std::vector<FloorStep>& steps, double noise = resolution) {
  return fit_growth(steps, separable_columns(steps), noise);
}

void expect_near(double actual, double expected, double scale) {
  RC_ASSERT(std::abs(actual - expected) <= 1e-5 * std::max(1.0, scale));
}

void expect_near(const GrowthEstimate& actual, double center, Interval interval) {
  const double scale = std::abs(interval.low) + std::abs(interval.high);
  expect_near(actual.center(), center, scale);
  expect_near(actual.interval(confidence).low, interval.low, scale);
  expect_near(actual.interval(confidence).high, interval.high, scale);
}

// Any value that a damaged recording may hold.
std::int64_t any_value() {
  return *rc::gen::oneOf(
      rc::gen::arbitrary<std::int64_t>(),
      rc::gen::element(std::numeric_limits<std::int64_t>::min(),
                       std::numeric_limits<std::int64_t>::max(), std::int64_t{0}));
}

void expect_numbers(const Interval& interval) {
  RC_ASSERT(std::isfinite(interval.low));
  RC_ASSERT(std::isfinite(interval.high));
  RC_ASSERT(interval.low <= interval.high);
}

void expect_numbers(const Assessment& assessment) {
  for (const Judgement& judgement : assessment.judgements) {
    RC_ASSERT(std::isfinite(judgement.per_connection));
    RC_ASSERT(std::isfinite(judgement.limit));
    RC_ASSERT(std::isfinite(judgement.drift_per_second));
    RC_ASSERT(std::isfinite(judgement.per_cycle));
    expect_numbers(judgement.interval);
    if (judgement.evidence == Judgement::Evidence::gauge && judgement.estimated) {
      RC_ASSERT(judgement.interval.low <= judgement.per_connection);
      RC_ASSERT(judgement.per_connection <= judgement.interval.high);
    }
  }
}

RC_GTEST_PROP(GrowthProperty, AScaleScales, ()) {
  auto steps = designed_steps();
  const double factor = *rc::gen::element(-8.0, 0.25, 3.0, 1000.0);
  const GrowthEstimate once = fit(steps).per_connection;
  for (FloorStep& step : steps) step.growth *= factor;
  Interval interval = once.interval(confidence);
  interval = {interval.low * factor, interval.high * factor};
  if (factor < 0) std::swap(interval.low, interval.high);
  expect_near(fit(steps, resolution * std::abs(factor)).per_connection, once.center() * factor,
              interval);
}

RC_GTEST_PROP(GrowthProperty, ALeakAddsItself, ()) {
  auto steps = designed_steps();
  const double leak = *rc::gen::inRange(-100'000, 100'000);
  const GrowthEstimate once = fit(steps).per_connection;
  for (FloorStep& step : steps) step.growth += leak * step.connections;
  const Interval interval = once.interval(confidence);
  expect_near(fit(steps).per_connection, once.center() + leak,
              {interval.low + leak, interval.high + leak});
}

RC_GTEST_PROP(GrowthProperty, TheClockTheCyclesAndTheLastDoseChangeNothing, ()) {
  auto steps = designed_steps();
  RC_PRE(separable_columns(steps).count() == 4u);
  const double per_second = *rc::gen::inRange(0, 1'000'000);
  const double per_cycle = *rc::gen::inRange(0, 1'000'000);
  const double late = *rc::gen::inRange(0, 10'000);
  const GrowthEstimate once = fit(steps).per_connection;
  for (FloorStep& step : steps) {
    step.growth += per_second * step.seconds + (step.connections > 0 ? per_cycle : 0) +
                   late * step.dose_change;
  }
  expect_near(fit(steps).per_connection, once.center(), once.interval(confidence));
}

RC_GTEST_PROP(GrowthProperty, NoiseFreeStepsOfEqualDosesMayChangePlaces, ()) {
  auto steps = designed_steps();
  RC_PRE(separable_columns(steps).per_second);
  const double leak = *rc::gen::inRange(0, 100'000);
  const double per_second = *rc::gen::inRange(0, 100'000);
  for (FloorStep& step : steps) step.growth = leak * step.connections + per_second * step.seconds;
  const auto from = *rc::gen::inRange<std::size_t>(0, steps.size());
  const auto to = *rc::gen::inRange<std::size_t>(0, steps.size());
  RC_PRE(steps[from].connections == steps[to].connections);
  std::swap(steps[from].seconds, steps[to].seconds);
  std::swap(steps[from].growth, steps[to].growth);
  expect_near(fit(steps).per_connection.center(), leak, leak + per_second);
  RC_ASSERT(warm_up_cycles(steps, resolution) == 1u);
}

RC_GTEST_PROP(GrowthProperty, AnyStepsGiveNumbers, ()) {
  std::vector<FloorStep> steps(*rc::gen::inRange<std::size_t>(0, 24));
  for (FloorStep& step : steps) {
    step = {static_cast<double>(*rc::gen::inRange(0, 4)),
            static_cast<double>(*rc::gen::element<std::int64_t>(-9, 0, 1, 1 << 30)),
            static_cast<double>(any_value()), static_cast<double>(*rc::gen::inRange(-3, 4))};
  }
  const GrowthFit found = fit(steps);
  RC_ASSERT(warm_up_cycles(steps, resolution) <= steps.size());
  if (!found.per_connection.known()) return;
  RC_ASSERT(std::isfinite(found.per_connection.center()));
  expect_numbers(found.per_connection.interval(confidence));
}

const KindRule threads = {ResourceKind::thread, "threads", {0.01, 5}, Role::decides, ""};

RC_GTEST_PROP(SurvivorsProperty, MoreOfThemNeverClear, ()) {
  std::vector<CohortShare> cohorts;
  const double leak = *rc::gen::inRange(5, 100) * 1e-2;
  for (const std::uint32_t dose : plan_doses(*rc::gen::inRange<std::uint32_t>(4, 20), 100)) {
    const double alive = dose > 0 ? std::floor(leak * dose) + *rc::gen::inRange(0, 4) : 0;
    cohorts.push_back({static_cast<double>(dose), 1, alive, dose == 0});
  }
  RC_PRE(judge_survivors(cohorts, threads, confidence).verdict == Verdict::leak);
  for (CohortShare& cohort : cohorts) {
    if (!cohort.idle) cohort.alive_at_end += *rc::gen::inRange(0, 50);
  }
  const Verdict verdict = judge_survivors(cohorts, threads, confidence).verdict;
  RC_ASSERT(verdict == Verdict::leak || verdict == Verdict::inconclusive);
}

RC_GTEST_PROP(SurvivorsProperty, AnyCohortsGiveNumbers, ()) {
  std::vector<CohortShare> cohorts(*rc::gen::inRange<std::size_t>(0, 20));
  for (CohortShare& cohort : cohorts) {
    cohort = {static_cast<double>(*rc::gen::element(0, 1, 100, 1'000'000)),
              *rc::gen::element(0.0, 1e-9, 1.0, 1e9),
              static_cast<double>(*rc::gen::element(0, 1, 50, 10'000'000)),
              *rc::gen::arbitrary<bool>()};
  }
  const Judgement judgement = judge_survivors(cohorts, threads, confidence);
  RC_ASSERT(std::isfinite(judgement.per_connection));
  expect_numbers(judgement.interval);
}

// A heap whose level wanders, read after each cycle of a designed run.
RunBuilder wandering() {
  RunBuilder run;
  run.designed(*rc::gen::inRange<std::uint32_t>(0, 14));
  run.gauge(GaugeKind::heap_used,
            [](double, double) { return static_cast<double>(*rc::gen::inRange(0, 1 << 24)); });
  return run;
}

RC_GTEST_PROP(AssessProperty, AShiftOfAllReadingsChangesNothing, ()) {
  RunBuilder run = wandering();
  const Assessment once = assess(run.recording);
  const std::int64_t shift = *rc::gen::inRange<std::int64_t>(-(1LL << 40), 1LL << 40);
  for (Gauge& gauge : run.recording.gauges) gauge.value += shift;
  const Assessment shifted = assess(run.recording);
  RC_ASSERT(shifted.sentence == once.sentence);
  RC_ASSERT(shifted.judgements.front().interval.low == once.judgements.front().interval.low);
  RC_ASSERT(shifted.judgements.front().interval.high == once.judgements.front().interval.high);
}

RC_GTEST_PROP(AssessProperty, ADamagedRecordingGivesNumbers, ()) {
  RunBuilder run = wandering();
  run.resources(ResourceKind::thread, 1, run.recording.cycles.empty() ? 0 : 3, 0);
  Recording& recording = run.recording;
  const auto some = [] { return *rc::gen::inRange(0, 4) == 0; };
  for (Gauge& gauge : recording.gauges) {
    if (some()) gauge.value = any_value();
    if (some()) gauge.ts_ns = static_cast<std::uint64_t>(any_value());
  }
  for (Cycle& cycle : recording.cycles) {
    if (some()) cycle.end_ns = static_cast<std::uint64_t>(any_value());
    if (some()) cycle.established = *rc::gen::arbitrary<std::uint32_t>();
  }
  std::erase_if(recording.gauges, [&](const Gauge&) { return some(); });
  std::erase_if(recording.cycles, [&](const Cycle&) { return some(); });
  expect_numbers(assess(recording));
}

}  // namespace
}  // namespace ebbtide
