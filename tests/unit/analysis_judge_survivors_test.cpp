#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <functional>

#include "analysis/judge.h"

namespace ebbtide {
namespace {

using testing::HasSubstr;

const KindRule threads = {ResourceKind::thread, "threads", {0.01, 5}, Role::decides, ""};

// Ten cycles of a hundred connections between two idle ones, a second each; `alive` of the cycle's
// number, from 1.
Judgement judge(const std::function<double(int cycle)>& alive, double alive_of_idle = 0) {
  std::vector<CohortShare> cohorts = {{0, 1, alive_of_idle, true}};
  for (int cycle = 1; cycle <= 10; ++cycle) cohorts.push_back({100, 1, alive(cycle), false});
  cohorts.push_back({0, 1, alive_of_idle, true});
  return judge_survivors(cohorts, threads, 0.975);
}

TEST(JudgeSurvivorsTest, ThoseOfEveryCycleAreALeak) {
  const Judgement judgement = judge([](int) { return 10; });
  EXPECT_EQ(judgement.verdict, Verdict::leak);
  EXPECT_EQ(judgement.warm_up_cycles, 1u);
  EXPECT_DOUBLE_EQ(judgement.per_connection, 0.1);
}

TEST(JudgeSurvivorsTest, ThoseOfEarlyCyclesOnlyArePools) {
  const Judgement judgement = judge([](int cycle) { return cycle <= 3 ? 40 : 0; });
  EXPECT_EQ(judgement.verdict, Verdict::saturating);
  EXPECT_EQ(judgement.warm_up_cycles, 3u);
  EXPECT_THAT(judgement.reason, HasSubstr("from early cycles only: 0.40 per connection"));
}

TEST(JudgeSurvivorsTest, ThoseOfTheLastCyclesOnlyAreGivenBackLate) {
  const Judgement judgement = judge([](int cycle) { return cycle >= 9 ? 100 : 0; });
  EXPECT_EQ(judgement.verdict, Verdict::no_leak);
  EXPECT_THAT(judgement.reason, HasSubstr("given back late"));
}

// The first third of what is looked at was given back: that is not enough to clear it.
TEST(JudgeSurvivorsTest, ThoseOfTheLastTwoThirdsMayComeBack) {
  const Judgement judgement = judge([](int cycle) { return cycle >= 4 ? 100 : 0; });
  EXPECT_EQ(judgement.verdict, Verdict::inconclusive);
}

// A leak of one in twenty below a pool, and below what is given back late.
TEST(JudgeSurvivorsTest, ALeakIsSeenBelowAPool) {
  for (const bool pool : {true, false}) {
    const Judgement judgement =
        judge([&](int cycle) { return (pool ? cycle <= 3 : cycle >= 8) ? 45 : 5; });
    EXPECT_EQ(judgement.verdict, Verdict::leak) << pool;
    EXPECT_NEAR(judgement.per_connection, 0.05, 0.001);
  }
}

// Two idle seconds say how many the clock leaves, but not well enough to clear the connections.
TEST(JudgeSurvivorsTest, WhatIdleCyclesLeaveTooIsTheClocks) {
  const Judgement judgement = judge([](int) { return 10; }, 10);
  EXPECT_EQ(judgement.verdict, Verdict::inconclusive);
  EXPECT_EQ(judgement.per_connection, 0);
  EXPECT_EQ(judgement.interval.low, 0);
  EXPECT_GT(judgement.interval.high, 0.01);
}

TEST(JudgeSurvivorsTest, ALeakIsSeenBesideWhatTheClockLeaves) {
  const Judgement judgement = judge([](int) { return 60; }, 10);
  EXPECT_EQ(judgement.verdict, Verdict::leak);
  EXPECT_NEAR(judgement.per_connection, 0.5, 0.01);
}

TEST(JudgeSurvivorsTest, ChanceMakesNoPool) {
  const std::vector<double> counts = {0, 4, 1, 3, 2, 2, 3, 1, 1, 1};
  const Judgement judgement = judge([&](int cycle) { return counts.at(cycle - 1); });
  EXPECT_EQ(judgement.warm_up_cycles, 1u);
  EXPECT_EQ(judgement.verdict, Verdict::inconclusive);
}

}  // namespace
}  // namespace ebbtide
