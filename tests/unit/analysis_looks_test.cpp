#include "analysis/looks.h"

#include <gtest/gtest.h>

#include <algorithm>

#include "analysis_recordings.h"

namespace ebbtide {
namespace {

constexpr double kib = 1024;

// An undecided run: a heap that grows by fits and starts.
RunBuilder undecided() {
  RunBuilder run;
  run.designed(10);
  run.gauge(GaugeKind::heap_used, [](double x, double) {
    const auto step = static_cast<std::uint64_t>(x);
    return 300 * x + static_cast<double>(step * 2654435761 % 1024) * 400;
  });
  return run;
}

TEST(LooksTest, AllLooksSpendNoMoreThanFivePercent) {
  double spent = 0;
  for (std::uint32_t cycles = 10; cycles <= 10'240; cycles *= 2) {
    spent += 1 - look_confidence(10, cycles);
  }
  EXPECT_LE(spent, 0.05);
  EXPECT_DOUBLE_EQ(look_confidence(10, 10), 0.975);
  EXPECT_DOUBLE_EQ(look_confidence(10, 7), 0.975);
  EXPECT_DOUBLE_EQ(look_confidence(10, 11), 0.9875);
  EXPECT_DOUBLE_EQ(look_confidence(10, 20), 0.9875);
  EXPECT_DOUBLE_EQ(look_confidence(10, 40), 0.99375);
}

TEST(LooksTest, AnUndecidedRunDoublesItsCycles) {
  const auto run = undecided();
  const Assessment assessment = assess(run.recording);
  ASSERT_EQ(assessment.verdict, Verdict::inconclusive) << assessment.sentence;
  auto more = next_doses(run.recording, assessment, {});
  std::erase(more, 0U);
  EXPECT_EQ(more.size(), 10u);
}

TEST(LooksTest, CyclesAndTimeHaveAnEnd) {
  const auto run = undecided();
  const Assessment assessment = assess(run.recording);
  auto more = next_doses(run.recording, assessment, {.max_cycles = 14});
  std::erase(more, 0U);
  EXPECT_EQ(more.size(), 4u);
  EXPECT_TRUE(next_doses(run.recording, assessment, {.max_cycles = 10}).empty());
  EXPECT_TRUE(next_doses(run.recording, assessment, {.max_seconds = 5}).empty());
}

TEST(LooksTest, SaysHowManyCyclesWouldDecide) {
  const auto run = undecided();
  const Assessment assessment = assess(run.recording);
  const std::uint32_t cycles = cycles_to_decide(assessment);
  EXPECT_GE(cycles, 20u);
  EXPECT_LE(cycles, 1000u);

  RunBuilder few;
  few.cycles(2).gauge(GaugeKind::heap_used, constant(1e6));
  EXPECT_EQ(cycles_to_decide(assess(few.recording)), 10u);

  RunBuilder decided;
  decided.designed(10).gauge(GaugeKind::heap_used, constant(1e6));
  EXPECT_EQ(cycles_to_decide(assess(decided.recording)), 0u);

  RunBuilder blind;
  blind.designed(10).gauge(GaugeKind::rss, constant(1e6));
  EXPECT_EQ(cycles_to_decide(assess(blind.recording)), 0u);
}

TEST(LooksTest, WhatIsDecidedEnds) {
  RunBuilder run;
  run.designed(10).gauge(GaugeKind::heap_used, [](double x, double) { return 64 * kib * x; });
  EXPECT_TRUE(next_doses(run.recording, assess(run.recording), {}).empty());
}

TEST(LooksTest, WhatMoreCyclesCannotChangeEnds) {
  RunBuilder run;
  run.designed(10).gauge(GaugeKind::rss, constant(1e6));  // of V8, without the heap
  EXPECT_TRUE(next_doses(run.recording, assess(run.recording), {}).empty());
  EXPECT_TRUE(next_doses({}, assess({}), {}).empty());
}

}  // namespace
}  // namespace ebbtide
