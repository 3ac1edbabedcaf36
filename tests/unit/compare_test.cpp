// Two recordings side by side: the rule for a pair of figures, then whole comparisons.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>
#include <limits>
#include <nlohmann/json.hpp>

#include "analysis/compare/compare.h"
#include "analysis/compare/quantile.h"
#include "analysis/report/compare_report.h"
#include "analysis_recordings.h"
#include "golden_file.h"
#include "load_recordings.h"

namespace ebbtide {
namespace {

using testing::HasSubstr;
using testing::Not;
using testing::StartsWith;

constexpr double kib = 1024;

PairedFigure pair_of(Estimate before, Estimate after, double margin) {
  PairedFigure figure{.subject = "x", .measure = Measure::bytes};
  figure.before = before;
  figure.after = after;
  figure.margin = margin;
  weigh(figure);
  return figure;
}

Estimate estimate(double value, double half_width) {
  return {value, Interval{value - half_width, value + half_width}};
}

TEST(PairedFigureTest, TheIntervalOfADifferenceAddsInSquares) {
  const Interval interval = difference_interval(estimate(100, 3), estimate(60, 4));
  EXPECT_DOUBLE_EQ(interval.low, -45);
  EXPECT_DOUBLE_EQ(interval.high, -35);
  const Interval lopsided = difference_interval({10, Interval{10, 13}}, {10, Interval{6, 10}});
  EXPECT_DOUBLE_EQ(lopsided.low, -5);
  EXPECT_DOUBLE_EQ(lopsided.high, 0);
}

double normal(SplitMix64& random) {
  const double radius = std::sqrt(-2 * std::log(1 - random.unit()));
  return radius * std::cos(2 * M_PI * random.unit());
}

// Two thousand pairs of normal estimates, each with its exact 95 % interval.
TEST(PairedFigureTest, TheIntervalOfADifferenceCoversTheTruth) {
  SplitMix64 random(1);
  int covered = 0;
  for (int run = 0; run < 2000; ++run) {
    const Interval interval = difference_interval(estimate(100 + 3 * normal(random), 3 * 1.96),
                                                  estimate(50 + 8 * normal(random), 8 * 1.96));
    covered += interval.low <= -50 && -50 <= interval.high;
  }
  EXPECT_GE(covered, 1860);  // 93 %
  EXPECT_LE(covered, 1940);  // 97 %
}

TEST(PairedFigureTest, AChangeCountsWhenItsWholeIntervalLiesBeyondTheMargin) {
  EXPECT_EQ(pair_of(estimate(100, 3), estimate(60, 4), 30).change, Change::better);
  EXPECT_EQ(pair_of(estimate(60, 4), estimate(100, 3), 30).change, Change::worse);
  EXPECT_EQ(pair_of(estimate(60, 4), estimate(100, 3), 50).change, Change::same);
  const PairedFigure open = pair_of(estimate(60, 4), estimate(100, 3), 40);
  EXPECT_EQ(open.change, Change::not_comparable);
  EXPECT_THAT(open.reason, HasSubstr("reaches beyond 40 B"));
}

TEST(PairedFigureTest, OfSomeFiguresMoreIsBetter) {
  PairedFigure figure{.subject = "x", .measure = Measure::share, .more_is_better = true};
  figure.before = Estimate{1.0};
  figure.after = Estimate{0.9};
  weigh(figure);
  EXPECT_EQ(figure.change, Change::worse);
}

TEST(PairedFigureTest, WhatIsMissingOrNoNumberIsNotComparable) {
  const double nan = std::numeric_limits<double>::quiet_NaN();
  for (const Estimate& bad : {Estimate{nan}, Estimate{1, Interval{nan, 2}},
                              Estimate{std::numeric_limits<double>::infinity()}}) {
    const PairedFigure figure = pair_of(estimate(1, 1), bad, 1);
    EXPECT_EQ(figure.change, Change::not_comparable);
    EXPECT_EQ(figure.reason, "not measured after");
    EXPECT_FALSE(figure.difference);
  }
}

TEST(QuantileTest, TakesAsManyLatenciesAsItsRanksNeed) {
  std::vector<LatencyCount> latencies;
  for (int i = 1; i <= 1000; ++i) latencies.push_back({i * 0.001, 1});
  const auto p99 = quantile_estimate(latencies, 0.99, 1000, 0.95);
  ASSERT_TRUE(p99);
  EXPECT_DOUBLE_EQ(p99->value, 0.99);
  EXPECT_LT(p99->interval->low, 0.99);
  EXPECT_GT(p99->interval->high, 0.99);
  EXPECT_LE(p99->interval->high, 1.0);
  EXPECT_TRUE(quantile_estimate(latencies, 0.99, 368, 0.95));
  EXPECT_FALSE(quantile_estimate(latencies, 0.99, 367, 0.95));
  EXPECT_FALSE(quantile_estimate({}, 0.5, 100, 0.95));
}

// Ten cycles of a hundred connections that leave so much each; `start` tells the runs apart.
Recording leak_run(double bytes, std::uint64_t start, std::uint32_t cycles = 10) {
  RunBuilder run;
  run.idle().cycles(cycles).idle();
  run.gauge(GaugeKind::heap_used, [bytes](double connections, double) {
    return 5e6 + bytes * connections + 3 * kib * std::fmod(connections, 70) / 70;
  });
  run.gauge(GaugeKind::external, constant(1e6)).gauge(GaugeKind::heap_total, constant(9e6));
  run.gauge(GaugeKind::fds, constant(27));
  run.sockets([](auto, auto) { return false; }, 1);
  run.recording.run.start_ns += start;
  return run.recording;
}

Change overall(const Recording& before, const Recording& after) {
  return compare(before, after).overall;
}

TEST(CompareTest, ALeakThatIsNoMoreIsFixedAndTheOtherWayRoundWorse) {
  const Recording leaky = leak_run(64 * kib, 1);
  const Recording clean = leak_run(9, 2);
  const Comparison fixed = compare(leaky, clean);
  EXPECT_EQ(fixed.overall, Change::fixed);
  EXPECT_THAT(fixed.sentence,
              StartsWith("FIXED: each connection no longer leaves 64.0 KB of V8 heap behind"));
  const Comparison worse = compare(clean, leaky);
  EXPECT_EQ(worse.overall, Change::worse);
  EXPECT_THAT(worse.sentence, StartsWith("WORSE: each connection leaves 64.0 KB of V8 heap"));
}

TEST(CompareTest, ALeakThatBecameSmallerIsBetter) {
  const Comparison comparison = compare(leak_run(64 * kib, 1), leak_run(30 * kib, 2));
  EXPECT_EQ(comparison.overall, Change::better);
  EXPECT_THAT(comparison.sentence, HasSubstr("leaves 30.0 KB of V8 heap behind, 64.0 KB before"));
}

TEST(CompareTest, TwoRunsOfOneServerAreTheSame) {
  EXPECT_EQ(overall(leak_run(9, 1), leak_run(60, 2)), Change::same);
  EXPECT_EQ(overall(leak_run(64 * kib, 1), leak_run(64.5 * kib, 2)), Change::same);
}

// Settled readings scatter by 20 KB: no pair of like runs is told apart, and every leak of 16 KB
// is.
TEST(CompareTest, NoiseMakesNoChange) {
  SplitMix64 random(1);
  const auto noisy = [&](double bytes) {
    RunBuilder run;
    run.idle().cycles(10).idle();
    run.gauge(GaugeKind::heap_used, [&](double connections, double) {
      return 5e6 + bytes * connections + 20 * kib * normal(random);
    });
    run.recording.run.start_ns += random.next() % second_ns;
    return run.recording;
  };
  for (int i = 0; i < 25; ++i) {
    const Recording clean = noisy(0);
    const Recording leaky = noisy(16 * kib);
    EXPECT_THAT(overall(clean, noisy(0)), testing::AnyOf(Change::same, Change::not_comparable));
    EXPECT_THAT(overall(leaky, noisy(16 * kib)),
                testing::AnyOf(Change::same, Change::not_comparable));
    EXPECT_EQ(overall(clean, leaky), Change::worse);
    // Better where ten cycles do not yet clear the clean one.
    EXPECT_THAT(overall(leaky, clean), testing::AnyOf(Change::better, Change::fixed));
  }
}

TEST(CompareTest, OneFileTwice) {
  const Recording run = leak_run(64 * kib, 1);
  const Comparison comparison = compare(run, run);
  EXPECT_EQ(comparison.overall, Change::same);
  EXPECT_THAT(comparison.sentence, HasSubstr("both files hold the same run"));
  EXPECT_TRUE(comparison.differences.empty());
}

TEST(CompareTest, TooFewCyclesDecideNothing) {
  for (const std::uint32_t cycles : {0u, 1u, 2u}) {
    const Comparison comparison = compare(leak_run(64 * kib, 1), leak_run(9, 2, cycles));
    EXPECT_EQ(comparison.overall, Change::not_comparable) << cycles;
    EXPECT_THAT(comparison.sentence, StartsWith("NOT COMPARABLE: "));
    EXPECT_THAT(comparison.sentence, Not(HasSubstr("nan")));
    const std::string json = compare_json({{{"a", "b", comparison}}, {}});
    EXPECT_THAT(json, Not(HasSubstr("nan")));
  }
  EXPECT_EQ(overall({}, leak_run(9, 2)), Change::not_comparable);
}

TEST(CompareTest, ATargetThatDiesIsWorse) {
  Recording after = leak_run(9, 2);
  after.end = {EndReason::target_killed, "signal 11", after.end.end_ns};
  const Comparison comparison = compare(leak_run(9, 1), after);
  EXPECT_EQ(comparison.overall, Change::worse);
  EXPECT_THAT(comparison.sentence, HasSubstr("signal 11"));
  EXPECT_NE(overall(after, leak_run(9, 1)), Change::worse);
}

TEST(CompareTest, RecordingsOfDifferentKinds) {
  LevelsRun levels;
  levels.levels({10, 20});
  const Comparison comparison = compare(leak_run(9, 1), levels.recording);
  EXPECT_EQ(comparison.overall, Change::not_comparable);
  EXPECT_THAT(comparison.sentence, HasSubstr("one is a leak run, the other a connections run"));
  EXPECT_EQ(comparison.differences.at(0).what, "kind of run");
}

TEST(CompareTest, SaysInWhatElseTheRunsDiffer) {
  Recording after = leak_run(9, 2, 8);
  after.run.runtime_version = "v24.1.0";
  after.run.cpus = 4;
  after.run.plan.steps.pop_back();
  std::vector<std::string> named;
  for (const RunDifference& row : compare(leak_run(9, 1), after).differences) {
    named.push_back(row.what + ": " + row.before + " → " + row.after);
  }
  EXPECT_THAT(named, testing::Contains("runtime: node v20.20.2 → node v24.1.0"));
  EXPECT_THAT(named, testing::Contains("doses: 10 cycles of 100 → 8 cycles of 100"));
  EXPECT_THAT(named, testing::Contains(HasSubstr("machine: ")));
  EXPECT_THAT(named, testing::Contains(HasSubstr("steps: ")));
}

LevelsRun levels_run(double factor, std::uint64_t start) {
  LevelsRun run;
  const auto slower = [factor](Connection& connection, std::uint32_t) {
    const auto took = static_cast<double>(connection.established_ns - connection.start_ns);
    connection.established_ns = connection.start_ns + static_cast<std::uint64_t>(took * factor);
  };
  for (const std::uint32_t count : {10u, 100u, 500u}) {
    run.level({.connections = count, .change = slower});
  }
  run.recording.run.start_ns += start;
  return run;
}

TEST(CompareTest, ConnectionsThatTakeLongerToEstablishAreWorse) {
  const Recording fast = levels_run(1, 1).recording;
  const Recording slow = levels_run(20, 2).recording;
  EXPECT_EQ(overall(fast, levels_run(1, 3).recording), Change::same);
  const Comparison worse = compare(fast, slow);
  EXPECT_EQ(worse.overall, Change::worse);
  EXPECT_THAT(worse.sentence, HasSubstr("until established"));
  EXPECT_EQ(overall(slow, fast), Change::better);
  const auto p99 = std::ranges::find(worse.figures, "p99 until established, 500 connections",
                                     &PairedFigure::subject);
  ASSERT_NE(p99, worse.figures.end());
  EXPECT_EQ(p99->change, Change::worse);
}

TEST(CompareTest, LostDeliveriesAreWorse) {
  BroadcastRun before;
  BroadcastRun after;
  after.triggers([](Trigger& trigger) { trigger.delivered -= trigger.number % 2; });
  after.recording.run.start_ns += 1;
  const Comparison comparison = compare(before.recording, after.recording);
  EXPECT_EQ(comparison.overall, Change::worse);
  EXPECT_THAT(comparison.sentence, HasSubstr("messages delivered: 97.5 %, 100 % before"));
  EXPECT_EQ(overall(after.recording, before.recording), Change::better);
}

TEST(CompareTest, BroadcastsThatDeliverEverythingAreTheSame) {
  BroadcastRun before;
  BroadcastRun after;
  after.recording.run.start_ns += 1;
  const Comparison comparison = compare(before.recording, after.recording);
  EXPECT_EQ(comparison.overall, Change::same);
  EXPECT_EQ(comparison.figures.at(0).change, Change::same);
}

// Its tool was killed: there is no end, and its finished cycles count.
TEST(CompareTest, ARunWithoutAnEndIsComparedByItsCycles) {
  Recording before = leak_run(64 * kib, 1);
  before.end = {};
  const Comparison comparison = compare(before, leak_run(9, 2));
  EXPECT_EQ(comparison.overall, Change::fixed);
  ASSERT_FALSE(comparison.differences.empty());
  EXPECT_EQ(comparison.differences.back().what, "end");
  EXPECT_EQ(comparison.differences.back().before, "unknown");
}

// A run of one pass behind the main experiment, in which each connection keeps a socket or none.
Recording run_with_resets(bool leaks, std::uint64_t start) {
  RunBuilder run(30);
  run.cycles(6).ending(CloseMode::rst).cycles(3);
  run.gauge(GaugeKind::heap_used, constant(5e6)).gauge(GaugeKind::fds, constant(27));
  run.sockets([leaks](std::uint32_t cycle, auto) { return leaks && cycle > 6; }, 8);
  run.recording.run.start_ns += start;
  return run.recording;
}

TEST(CompareTest, WhatOnlyAnotherEndLeavesIsComparedToo) {
  const Comparison worse = compare(run_with_resets(false, 1), run_with_resets(true, 2));
  EXPECT_EQ(worse.overall, Change::worse);
  EXPECT_THAT(worse.sentence,
              StartsWith("WORSE: when a connection is reset, each leaves 1.00 accepted "
                         "sockets behind"));
  const Comparison fixed = compare(run_with_resets(true, 1), run_with_resets(false, 2));
  EXPECT_EQ(fixed.overall, Change::fixed);
  EXPECT_THAT(fixed.sentence, StartsWith("FIXED: before, when a connection is reset, each leaves"));
  EXPECT_EQ(overall(run_with_resets(false, 1), run_with_resets(false, 2)), Change::same);
}

// The census counts what a variable keeps after each cycle of a hundred.
Recording run_keeping(double each, std::uint64_t start) {
  Recording run = leak_run(each > 0 ? 64 * kib : 0, start);
  run.heap_paths = {{1, 0, "main", PathStep::root, "", "(JavaScript roots)", {}},
                    {2, 1, "main", PathStep::variable, "kept", "Map", {"/srv/server.js", 4, 1}},
                    {3, 2, "main", PathStep::element, "", "Session", {"/srv/server.js", 9, 1}}};
  double through = 0;
  for (std::uint32_t cycle = 0; cycle <= run.cycles.size(); ++cycle) {
    if (cycle > 0) through += run.cycles[cycle - 1].established;
    const auto now = static_cast<std::uint64_t>(7 + each * through);
    run.heap_censuses.push_back(
        {.cycle = cycle, .isolate = "main", .ts_ns = (1 + cycle) * second_ns});
    run.heap_path_levels.push_back({cycle, 2, 1, 32, now * 65'536, now});
    run.heap_path_levels.push_back({cycle, 3, now, now * 100, now * 65'536, 0});
  }
  return run;
}

TEST(CompareTest, ACauseIsComparedByCountWithAnInterval) {
  const Comparison gone = compare(run_keeping(1, 1), run_keeping(0, 2));
  ASSERT_EQ(gone.causes.size(), 1u);
  EXPECT_EQ(gone.causes[0].change, Change::gone);
  const PairedFigure& objects = gone.causes[0].objects;
  ASSERT_TRUE(objects.before && objects.after && objects.difference);
  EXPECT_NEAR(objects.before->value, 1, 1e-9);
  EXPECT_NEAR(objects.before->interval->low, std::pow(0.025, 1 / 1000.0), 1e-6) << "1,000 of 1,000";
  EXPECT_EQ(objects.after->value, 0);
  EXPECT_NEAR(objects.after->interval->high, 1 - std::pow(0.025, 1 / 1000.0), 1e-6);
  EXPECT_NEAR(objects.difference->low, -1, 1e-9);
  EXPECT_NEAR(objects.difference->high, -1 + std::sqrt(2) * 0.00368, 1e-4);
  EXPECT_THAT(compare_text({{{"a", "b", gone}}, {}}),
              HasSubstr("Session: 1.00 → 0.00 objects per connection (−1.00 to −0.99)"));
  const Comparison same = compare(run_keeping(1, 1), run_keeping(1, 2));
  EXPECT_EQ(same.causes.at(0).change, Change::same);
  const Comparison fewer = compare(run_keeping(2, 1), run_keeping(1, 2));
  EXPECT_EQ(fewer.causes.at(0).change, Change::better);
}

// Triggers that pause now and then: the batches differ, and the interval says so.
Recording broadcast_run(std::uint64_t start, std::size_t triggers, bool pauses) {
  BroadcastRun run;
  run.recording.triggers.resize(triggers);
  if (pauses) {
    std::uint64_t late_ns = 0;
    run.triggers([&](Trigger& trigger) {
      if (trigger.number % 17 == 0) late_ns += 40'000'000;
      for (std::uint64_t* ns :
           {&trigger.sent_ns, &trigger.answered_ns, &trigger.first_ns, &trigger.last_ns})
        *ns += late_ns;
    });
  }
  run.recording.run.start_ns += start;
  return run.recording;
}

PairedFigure figure_named(const Comparison& comparison, const std::string& subject) {
  const auto found = std::ranges::find(comparison.figures, subject, &PairedFigure::subject);
  return found == comparison.figures.end() ? PairedFigure() : *found;
}

TEST(CompareTest, DeliveriesPerSecondHaveAnIntervalOfBatches) {
  const Comparison steady = compare(broadcast_run(1, 100, false), broadcast_run(2, 100, false));
  const PairedFigure exact = figure_named(steady, "deliveries per second");
  ASSERT_TRUE(exact.before && exact.before->interval);
  EXPECT_NEAR(exact.before->interval->low, exact.before->value, 1e-6);
  const Comparison paused = compare(broadcast_run(1, 100, false), broadcast_run(2, 100, true));
  const PairedFigure wide = figure_named(paused, "deliveries per second");
  ASSERT_TRUE(wide.after && wide.after->interval);
  EXPECT_LT(wide.after->interval->low, wide.after->value - 50);
  const Comparison few = compare(broadcast_run(1, 19, false), broadcast_run(2, 19, false));
  EXPECT_FALSE(figure_named(few, "deliveries per second").before->interval);
  EXPECT_FALSE(figure_named(steady, "CPU per delivery").before->interval) << "read once";
  EXPECT_THAT(compare_report({{{"a", "b", steady}}, {}}),
              testing::ContainsRegex("CPU per delivery .* no interval "));
}

TEST(CompareGoldenTest, Leak) {
  Recording before = leak_run(64 * kib, 1);
  before.run.cmdline = "node `x` | <img src=x> \x1b[31m\xff";
  Recording after = leak_run(9, 2);
  after.run.runtime_version = "v24.1.0";
  const CompareResult result{
      {{"before/leak.ebbtide", "after/leak.ebbtide", compare(before, after)}},
      {"broadcast.ebbtide, which is in before only"}};
  expect_golden("compare_leak.md", compare_report(result));
  expect_golden("compare_leak.json", compare_json(result));
  expect_golden("compare_leak.txt", compare_text(result));
}

TEST(CompareGoldenTest, Connections) {
  const CompareResult result{
      {{"a", "b", compare(levels_run(1, 1).recording, levels_run(20, 2).recording)}}, {}};
  expect_golden("compare_connections.md", compare_report(result));
}

}  // namespace
}  // namespace ebbtide
