// The labelled set in tests/review: recall and precision of the leak rules, and every disagreement.
#include <gtest/gtest.h>

#include "review_labelled_set.h"

namespace ebbtide {
namespace {

constexpr double wanted_recall = 0.90;
constexpr double wanted_precision = 0.95;

TEST(ReviewLabelledSet, LeakRulesFindWhatIsThereAndLittleElse) {
  const SetScore set = score_set(read_labelled_set(SOURCE_DIR "/tests/review"));
  const RuleScore leaks = set.of_family("LC");
  ASSERT_GT(leaks.expected, 60u);
  EXPECT_GE(leaks.recall(), wanted_recall) << set.disagreements;
  EXPECT_GE(leaks.precision(), wanted_precision) << set.disagreements;
}

}  // namespace
}  // namespace ebbtide
