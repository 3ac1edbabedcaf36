#include "analysis/report/review_text.h"

#include <fmt/format.h>

#include <algorithm>

#include "analysis/report/escape.h"

namespace ebbtide {
namespace {

std::string place_of(const SourceSpot& spot) {
  return fmt::format("{}:{}:{}", clean_text(spot.path), spot.range.line, spot.range.column);
}

std::string finding_text(const ReviewFinding& finding) {
  const ReviewRule& rule = review_rule(finding.rule);
  std::string text =
      fmt::format("{}: {}: {} [{} {}]\n", place_of(finding.at), severity_name(finding.severity),
                  clean_text(finding.reason, 400), rule.id, rule.name);
  if (!finding.condition.empty())
    text += fmt::format("    only when {}\n", clean_text(finding.condition));
  for (const ReviewEvidence& evidence : finding.evidence) {
    text += fmt::format("    {:>5} | {}", evidence.spot.range.line, clean_text(evidence.code));
    if (!evidence.note.empty()) text += fmt::format("   <- {}", clean_text(evidence.note));
    if (evidence.spot.path != finding.at.path)
      text += fmt::format(" ({})", clean_text(evidence.spot.path));
    text += "\n";
  }
  if (!finding.repeats.empty()) {
    text += "    also at";
    for (const SourceSpot& spot : finding.repeats) text += " " + place_of(spot);
    text += "\n";
  }
  if (!finding.fix.empty()) text += fmt::format("    fix: {}\n", clean_text(finding.fix, 400));
  return text;
}

std::string check_text(const ReviewCheck& check) {
  std::string text = fmt::format("  {:<13} {} {}", outcome_name(check.outcome), check.rule,
                                 clean_text(check.statement, 300));
  for (std::size_t i = 0; i < check.evidence.size(); i++)
    text += (i == 0 ? " (" : ", ") + place_of(check.evidence[i].spot);
  return text + (check.evidence.empty() ? "\n" : ")\n");
}

}  // namespace

std::string severity_name(Severity severity) {
  switch (severity) {
    case Severity::error:
      return "error";
    case Severity::warning:
      return "warning";
    case Severity::info:
      break;
  }
  return "info";
}

std::string outcome_name(CheckOutcome outcome) {
  switch (outcome) {
    case CheckOutcome::pass:
      return "pass";
    case CheckOutcome::finding:
      return "finding";
    case CheckOutcome::not_checkable:
      break;
  }
  return "not checkable";
}

std::vector<const ReviewFinding*> by_severity(const Review& review) {
  std::vector<const ReviewFinding*> ordered;
  for (const ReviewFinding& finding : review.findings) ordered.push_back(&finding);
  std::stable_sort(ordered.begin(), ordered.end(),
                   [](const auto* a, const auto* b) { return a->severity > b->severity; });
  return ordered;
}

std::string review_text(const Review& review, const ReviewTextOptions& options) {
  std::string text;
  for (const ReviewFinding* finding : by_severity(review)) text += finding_text(*finding) + "\n";
  if (options.checks && !review.checks.empty()) {
    text += "Checks\n";
    for (const ReviewCheck& check : review.checks) text += check_text(check);
    text += "\n";
  }
  for (const UnreadSource& unread : review.unread)
    text += fmt::format("not read: {}: {}\n", clean_text(unread.path), clean_text(unread.why));
  const auto count = [&](Severity severity) {
    return std::count_if(review.findings.begin(), review.findings.end(),
                         [&](const ReviewFinding& each) { return each.severity == severity; });
  };
  text += fmt::format("{} files, {} servers: {} errors, {} warnings, {} notes", review.files,
                      review.servers.size(), count(Severity::error), count(Severity::warning),
                      count(Severity::info));
  if (!review.suppressed.empty()) text += fmt::format(", {} ignored", review.suppressed.size());
  return text + "\n";
}

}  // namespace ebbtide
