#include "tests/bench/review_quality.h"

#include <fmt/format.h>

#include "tests/unit/review_labelled_set.h"

namespace ebbtide {
namespace {

constexpr double recall_aim = 0.90;
constexpr double precision_aim = 0.95;

std::string told(const RuleScore& score) {
  return fmt::format("found {} of {}, false {}", score.met, score.expected, score.false_alarms);
}

Row share(const std::string& name, double figure, double aim, const std::string& against) {
  return {.name = name,
          .figure = fmt::format("{:.1f} %", 100 * figure),
          .aim = fmt::format(">= {:.0f} %", 100 * aim),
          .met = figure >= aim ? Met::yes : Met::no,
          .against = against};
}

}  // namespace

Result<Rows> measure_review_quality() {
  const std::vector<LabelledCase> cases = read_labelled_set(SOURCE_DIR "/tests/review");
  if (cases.empty()) return Error{"read", SOURCE_DIR "/tests/review", "there are no cases", ""};
  const SetScore set = score_set(cases);
  const RuleScore leaks = set.of_family("LC");
  Rows rows = {share("recall of the leak rules", leaks.recall(), recall_aim,
                     fmt::format("{}, {} labelled programs", told(leaks), cases.size())),
               share("precision of the leak rules", leaks.precision(), precision_aim, "")};
  for (const auto& [rule, score] : set.by_rule) {
    rows.push_back({.name = fmt::format("  {} {}", rule, review_rule(rule).name),
                    .figure = fmt::format("{:.0f} % / {:.0f} %", 100 * score.recall(),
                                          100 * score.precision()),
                    .against = told(score)});
  }
  return rows;
}

}  // namespace ebbtide
