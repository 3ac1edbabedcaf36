#include "analysis/design.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <numeric>

namespace ebbtide {
namespace {

std::vector<std::uint32_t> driven(std::vector<std::uint32_t> doses) {
  std::erase(doses, 0U);
  return doses;
}

double correlation(const std::vector<double>& a, const std::vector<double>& b) {
  const auto n = static_cast<double>(a.size());
  const double mean_a = std::accumulate(a.begin(), a.end(), 0.0) / n;
  const double mean_b = std::accumulate(b.begin(), b.end(), 0.0) / n;
  double ab = 0;
  double aa = 0;
  double bb = 0;
  for (std::size_t i = 0; i < a.size(); ++i) {
    ab += (a[i] - mean_a) * (b[i] - mean_b);
    aa += (a[i] - mean_a) * (a[i] - mean_a);
    bb += (b[i] - mean_b) * (b[i] - mean_b);
  }
  return ab / std::sqrt(aa * bb);
}

TEST(DesignTest, TenCyclesOfAHundred) {
  const std::vector<std::uint32_t> expected = {101, 0, 83, 173, 43, 43, 0, 83, 173, 173, 43, 83, 0};
  EXPECT_EQ(plan_doses(10, 100), expected);
}

TEST(DesignTest, AskedCyclesAndMeanAreKept) {
  for (const std::uint32_t mean : {1u, 4u, 5u, 7u, 10u, 50u, 100u, 1000u, 20'000u}) {
    for (const std::uint32_t cycles : {1u, 2u, 10u, 19u, 40u}) {
      const auto doses = driven(plan_doses(cycles, mean));
      ASSERT_EQ(doses.size(), cycles);
      EXPECT_GT(*std::ranges::min_element(doses), 0u);
      if (cycles % 9 != 1) continue;  // complete blocks
      const auto sum = std::accumulate(doses.begin(), doses.end(), 0u);
      EXPECT_NEAR(sum / double(cycles), mean, mean < 10 ? 1 : 0.1 * mean) << cycles;
    }
  }
}

TEST(DesignTest, NoDoseIsAMultipleOfAnother) {
  for (std::uint32_t mean = 5; mean <= 300; ++mean) {
    auto doses = driven(plan_doses(10, mean));
    doses.erase(doses.begin());
    std::ranges::sort(doses);
    doses.erase(std::unique(doses.begin(), doses.end()), doses.end());
    ASSERT_EQ(doses.size(), 3u) << mean;
    EXPECT_NE(doses[1] % doses[0], 0u) << mean;
    EXPECT_NE(doses[2] % doses[1], 0u) << mean;
    EXPECT_NE(doses[2] % doses[0], 0u) << mean;
  }
}

TEST(DesignTest, DosesDoNotFollowTimeNorTheDoseBefore) {
  const auto doses = driven(plan_doses(10, 100));
  std::vector<double> dose(doses.begin() + 1, doses.end());
  std::vector<double> time(dose.size());
  std::iota(time.begin(), time.end(), 0);
  EXPECT_NEAR(correlation(dose, time), 0, 0.01);
  EXPECT_NEAR(correlation({dose.begin() + 1, dose.end()}, {dose.begin(), dose.end() - 1}), 0, 0.15);
}

TEST(DesignTest, IdleControlsFollowTheFirstTheMiddleAndTheLast) {
  EXPECT_EQ(plan_doses(1, 100), (std::vector<std::uint32_t>{101, 0}));
  const auto further = plan_doses(11, 20, 100);
  EXPECT_EQ(driven(further).size(), 10u);
  EXPECT_EQ(further.back(), 0u);
  EXPECT_EQ(std::ranges::count(further, 0u), 2);
}

TEST(DesignTest, ARunInTwoPartsMakesTheSameConnections) {
  auto parts = driven(plan_doses(1, 10, 100));
  const auto second = driven(plan_doses(11, 40, 100));
  parts.insert(parts.end(), second.begin(), second.end());
  EXPECT_EQ(parts, driven(plan_doses(40, 100)));
}

}  // namespace
}  // namespace ebbtide
