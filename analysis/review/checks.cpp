#include "analysis/review/checks.h"

#include <algorithm>
#include <tuple>

namespace ebbtide {
namespace {

ReviewCheck check_of(const ReviewFinding& finding, std::string_view aside) {
  ReviewCheck check{finding.rule, CheckOutcome::finding, finding.reason + std::string(aside), {}};
  check.evidence.push_back({finding.at, "", ""});
  for (const SourceSpot& spot : finding.repeats) check.evidence.push_back({spot, "", ""});
  return check;
}

int rank_of(CheckOutcome outcome) {
  if (outcome == CheckOutcome::finding) return 0;
  return outcome == CheckOutcome::not_checkable ? 1 : 2;
}

}  // namespace

void answer_every_rule(Review& review) {
  std::vector<ReviewCheck>& checks = review.checks;
  for (const ReviewFinding& finding : review.findings) checks.push_back(check_of(finding, ""));
  for (const SuppressedFinding& each : review.suppressed)
    checks.push_back(check_of(each.finding, ", ignored by its author"));
  for (const ReviewRule& rule : review_rules()) {
    const bool answered = std::any_of(checks.begin(), checks.end(), [&](const ReviewCheck& check) {
      return check.rule == rule.id;
    });
    if (answered) continue;
    if (review.servers.empty())
      checks.push_back({rule.id, CheckOutcome::not_checkable, "no server was found", {}});
    else
      checks.push_back({rule.id, CheckOutcome::pass, rule.in_order, {}});
  }
  std::stable_sort(checks.begin(), checks.end(), [](const ReviewCheck& a, const ReviewCheck& b) {
    return std::tuple(&review_rule(a.rule), rank_of(a.outcome)) <
           std::tuple(&review_rule(b.rule), rank_of(b.outcome));
  });
}

}  // namespace ebbtide
