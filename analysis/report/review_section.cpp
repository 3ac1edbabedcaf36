#include "analysis/report/review_section.h"

#include <fmt/format.h>

#include "analysis/report/escape.h"
#include "analysis/report/review_text.h"
#include "analysis/report/table.h"

namespace ebbtide {
namespace {

std::string place_of(const SourceSpot& spot) {
  return code_span(fmt::format("{}:{}", spot.path, spot.range.line));
}

// `names` in a sentence stay literal, the rest cannot act.
std::string sentence(std::string_view text) {
  std::string out;
  bool literal = false;
  while (!text.empty()) {
    const auto tick = std::min(text.find('`'), text.size());
    const std::string_view part = text.substr(0, tick);
    if (!part.empty()) out += literal ? code_span(part) : prose(part);
    literal = !literal;
    text.remove_prefix(std::min(tick + 1, text.size()));
  }
  return out;
}

std::string finding_markdown(const ReviewFinding& finding) {
  const ReviewRule& rule = review_rule(finding.rule);
  std::string text =
      fmt::format("### {} {}: {}\n\n{}: {}.", rule.id, rule.name, place_of(finding.at),
                  severity_name(finding.severity), sentence(finding.reason));
  if (!finding.condition.empty())
    text += fmt::format(" It depends on {}.", code_span(finding.condition));
  text += fmt::format(" {}\n\n", prose(rule.sentence));
  for (const ReviewEvidence& evidence : finding.evidence) {
    text += fmt::format("- {} {}", place_of(evidence.spot), code_span(evidence.code, 160));
    text += evidence.note.empty() ? "\n" : fmt::format(" {}\n", prose(evidence.note));
  }
  if (!finding.repeats.empty()) {
    text += "- also at";
    for (const SourceSpot& spot : finding.repeats) text += " " + place_of(spot);
    text += "\n";
  }
  if (!finding.evidence.empty() || !finding.repeats.empty()) text += "\n";
  if (!finding.fix.empty()) text += code_block(finding.fix, "js") + "\n";
  return text;
}

std::string checks_markdown(const Review& review) {
  MarkdownTable table({{"Check", Align::left}, {"Answer", Align::left}, {"Where", Align::left}});
  for (const ReviewCheck& check : review.checks) {
    std::string where;
    for (const ReviewEvidence& evidence : check.evidence)
      where += (where.empty() ? "" : ", ") +
               cell_code(fmt::format("{}:{}", evidence.spot.path, evidence.spot.range.line));
    const std::string answer =
        fmt::format("{}: {}", outcome_name(check.outcome), sentence(check.statement));
    table.row({check.rule, answer, where});
  }
  return table.empty() ? "" : table.folded("What each rule answered");
}

}  // namespace

std::string review_section(const Review& review) {
  std::string text = "## Code Review Findings\n\n";
  text += fmt::format("{} files, {} places where connections come in, {} findings.\n\n",
                      review.files, review.servers.size(), review.findings.size());
  for (const ReviewFinding* finding : by_severity(review)) text += finding_markdown(*finding);
  text += checks_markdown(review);
  for (const SuppressedFinding& each : review.suppressed)
    text += fmt::format("- ignored by its author: {} at {}: {}\n", each.finding.rule,
                        place_of(each.finding.at), prose(each.reason));
  for (const UnreadSource& unread : review.unread)
    text += fmt::format("- not read: {}: {}\n", code_span(unread.path), prose(unread.why));
  if (!review.suppressed.empty() || !review.unread.empty()) text += "\n";
  return text;
}

}  // namespace ebbtide
