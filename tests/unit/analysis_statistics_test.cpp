#include "analysis/statistics.h"

#include <gtest/gtest.h>

#include <cmath>

namespace ebbtide {
namespace {

std::vector<Sample> noisy_line(double slope, std::uint64_t seed) {
  SplitMix64 random(seed);
  std::vector<Sample> samples;
  for (int i = 0; i < 12; ++i) samples.push_back({100.0 * i, slope * 100.0 * i + random.unit()});
  return samples;
}

TEST(SplitMix64Test, GivesThePublishedSequence) {
  // First outputs for seed 1234567 as published with the reference implementation.
  SplitMix64 random(1234567);
  EXPECT_EQ(random.next(), 6457827717110365317u);
  EXPECT_EQ(random.next(), 3203168211198807973u);
  EXPECT_EQ(random.next(), 9817491932198370423u);
}

TEST(SplitMix64Test, BelowStaysBelowAndReachesEveryValue) {
  SplitMix64 random(7);
  std::vector<int> seen(5);
  for (int i = 0; i < 1000; ++i) ++seen.at(random.below(5));
  for (const int count : seen) EXPECT_GT(count, 120);
}

TEST(MedianTest, TakesTheMiddle) {
  EXPECT_EQ(median({}), 0);
  EXPECT_EQ(median({3}), 3);
  EXPECT_EQ(median({9, 1, 5}), 5);
  EXPECT_EQ(median({9, 1, 5, 7}), 6);
}

TEST(ScaledMadTest, MatchesAWorkedExample) {
  // Median 2, absolute deviations 1 1 0 0 2 4 7, their median 1.
  const std::vector<double> values = {1, 1, 2, 2, 4, 6, 9};
  EXPECT_DOUBLE_EQ(scaled_mad(values), 1.4826);
}

TEST(PercentileTest, InterpolatesBetweenRanks) {
  EXPECT_EQ(percentile({}, 0.5), 0);
  EXPECT_EQ(percentile({4}, 0.99), 4);
  EXPECT_DOUBLE_EQ(percentile({0, 10, 20, 30}, 0.5), 15);
  EXPECT_DOUBLE_EQ(percentile({0, 10, 20, 30}, 1), 30);
}

TEST(TheilSenTest, FindsTheMedianOfAllSlopes) {
  // Slopes of the six pairs: 1, 1, 1, 7/3, 3, 5.
  const std::vector<Sample> samples = {{0, 0}, {1, 1}, {2, 2}, {3, 7}};
  EXPECT_DOUBLE_EQ(*theil_sen(samples), (1 + 7.0 / 3) / 2);
}

TEST(TheilSenTest, ShrugsOffOutliers) {
  auto samples = noisy_line(3, 1);
  samples[4].y += 1e9;
  samples[9].y -= 1e9;
  EXPECT_NEAR(*theil_sen(samples), 3, 0.05);
}

TEST(TheilSenTest, NeedsTwoDifferentX) {
  EXPECT_FALSE(theil_sen({}));
  const std::vector<Sample> samples = {{5, 1}, {5, 2}};
  EXPECT_FALSE(theil_sen(samples));
}

TEST(TheilSenTest, ShiftsChangeNothingAndScalesScale) {
  for (std::uint64_t seed = 1; seed <= 50; ++seed) {
    const auto samples = noisy_line(2, seed);
    const double slope = *theil_sen(samples);
    auto shifted = samples;
    for (Sample& sample : shifted) sample = {sample.x + 4096, sample.y - 65536};
    EXPECT_NEAR(*theil_sen(shifted), slope, 1e-9);
    auto scaled = samples;
    for (Sample& sample : scaled) sample.y *= -8;
    EXPECT_NEAR(*theil_sen(scaled), -8 * slope, 1e-9);
  }
}

TEST(WarmUpTest, SetsTheFirstStepAside) {
  EXPECT_EQ(warm_up_steps({}, 0), 0u);
  EXPECT_EQ(warm_up_steps(std::vector<double>{5}, 0), 1u);
  EXPECT_EQ(warm_up_steps(std::vector<double>{1, 1, 1, 1, 1, 1}, 0.1), 1u);
}

TEST(WarmUpTest, SetsLeadingOutliersAsideUpToHalf) {
  EXPECT_EQ(warm_up_steps(std::vector<double>{90, 50, 30, 1, 2, 1, 2, 1, 2, 1}, 5), 3u);
  EXPECT_EQ(warm_up_steps(std::vector<double>{9, 9, 9, 9, 9, 9, 9, 9, 0, 0}, 1), 1u);
  EXPECT_EQ(warm_up_steps(std::vector<double>{90, 80, 70, 60, 0, 0, 0, 0}, 5), 4u);
}

TEST(WarmUpTest, LeavesThreeSteps) {
  EXPECT_EQ(warm_up_steps(std::vector<double>{90, 80, 0, 0}, 5), 1u);
}

TEST(WarmUpTest, IgnoresExcessBelowTheFloor) {
  EXPECT_EQ(warm_up_steps(std::vector<double>{9, 3, 0, 0, 0, 0, 0, 0}, 5), 1u);
}

TEST(IdleDriftTest, BelievesStretchesThatAgree) {
  const std::vector<FloorStep> idle = {{0, 1, 100}, {0, 2, 220}, {0, 1, 120}};
  const Drift drift = idle_drift(idle, 10);
  EXPECT_TRUE(drift.believed);
  EXPECT_DOUBLE_EQ(drift.per_second, 110);
}

TEST(IdleDriftTest, DisbelievesOneStretchDisagreementFallsAndNoise) {
  EXPECT_FALSE(idle_drift(std::vector<FloorStep>{{0, 1, 100}}, 0).believed);
  EXPECT_FALSE(idle_drift(std::vector<FloorStep>{{0, 1, 100}, {0, 1, 900}}, 0).believed);
  EXPECT_FALSE(idle_drift(std::vector<FloorStep>{{0, 1, -100}, {0, 1, -100}}, 0).believed);
  EXPECT_FALSE(idle_drift(std::vector<FloorStep>{{0, 1, 100}, {0, 1, 100}}, 60).believed);
  EXPECT_EQ(idle_drift(std::vector<FloorStep>{{0, 1, 100}, {0, 1, 900}}, 0).per_second, 0);
}

TEST(IdleDriftTest, SkipsStretchesWithoutLength) {
  EXPECT_TRUE(idle_drift(std::vector<FloorStep>{{0, 0, 100}}, 0).rates.empty());
}

TEST(ShareIntervalTest, MatchesClopperAndPearson) {
  // 0 of 100 has the upper bound 1 - 0.025^(1/100); 10 of 100 is a textbook case.
  EXPECT_EQ(share_interval(0, 100, 0.95).low, 0);
  EXPECT_NEAR(share_interval(0, 100, 0.95).high, 1 - std::pow(0.025, 0.01), 1e-9);
  EXPECT_NEAR(share_interval(10, 100, 0.95).low, 0.0490, 1e-4);
  EXPECT_NEAR(share_interval(10, 100, 0.95).high, 0.1762, 1e-4);
  EXPECT_EQ(share_interval(100, 100, 0.95).high, 1);
}

TEST(ShareIntervalTest, ReadsMoreCountsThanTrialsAsSeveralChances) {
  const Interval two_each = share_interval(200, 100, 0.95);
  EXPECT_EQ(two_each.high, 2);
  EXPECT_GT(two_each.low, 1.9);
  EXPECT_EQ(share_interval(3, 0, 0.95).high, 0);
}

}  // namespace
}  // namespace ebbtide
