// The labelled set in tests/review: recall and precision of the leak rules, and every disagreement.
#include <fmt/format.h>
#include <gtest/gtest.h>

#include "review_labelled_set.h"

namespace ebbtide {
namespace {

constexpr double wanted_recall = 0.90;
constexpr double wanted_precision = 0.95;

TEST(ReviewLabelledSet, LeakRulesFindWhatIsThereAndLittleElse) {
  RuleScore leaks;
  std::string disagreements;
  for (const LabelledCase& labelled : read_labelled_set(SOURCE_DIR "/tests/review")) {
    const CaseScore score = score_case(labelled, review_files(labelled.files, labelled.mappings));
    for (const auto& [rule, of_rule] : score.by_rule) {
      if (!rule.starts_with("LC")) continue;
      leaks.expected += of_rule.expected;
      leaks.met += of_rule.met;
      leaks.false_alarms += of_rule.false_alarms;
    }
    for (const std::string& miss : score.misses)
      disagreements += fmt::format("{}: missed: {}\n", labelled.name, miss);
    for (const std::string& alarm : score.false_alarms)
      disagreements += fmt::format("{}: false alarm: {}\n", labelled.name, alarm);
  }
  ASSERT_GT(leaks.expected, 60u);
  const double recall = double(leaks.met) / leaks.expected;
  const double precision = double(leaks.met) / (leaks.met + leaks.false_alarms);
  RecordProperty("recall", std::to_string(recall));
  RecordProperty("precision", std::to_string(precision));
  EXPECT_GE(recall, wanted_recall) << disagreements;
  EXPECT_GE(precision, wanted_precision) << disagreements;
}

}  // namespace
}  // namespace ebbtide
