#include "analysis/report/review_section.h"

#include <fmt/format.h>

#include <algorithm>

#include "analysis/format.h"
#include "analysis/report/escape.h"
#include "analysis/report/review_text.h"
#include "analysis/report/sections.h"
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

std::string title_of(const ReviewFinding& finding) {
  return fmt::format("{} {}: {}", finding.rule, review_rule(finding.rule).name,
                     place_of(finding.at));
}

std::string evidence_list(const ReviewFinding& finding) {
  std::string text;
  for (const ReviewEvidence& evidence : finding.evidence) {
    text += fmt::format("- {} {}", place_of(evidence.spot), code_span(evidence.code, 160));
    text += evidence.note.empty() ? "\n" : fmt::format(" {}\n", prose(evidence.note));
  }
  if (!finding.repeats.empty()) {
    text += "- also at";
    for (const SourceSpot& spot : finding.repeats) text += " " + place_of(spot);
    text += "\n";
  }
  return text.empty() ? "" : text + "\n";
}

// What is wrong, why that matters, the lines, and how to mend it.
std::string finding_body(const ReviewFinding& finding) {
  std::string text =
      fmt::format("{}: {}.", severity_name(finding.severity), sentence(finding.reason));
  if (!finding.condition.empty())
    text += fmt::format(" It depends on {}.", code_span(finding.condition));
  text +=
      fmt::format(" {}\n\n", prose(review_rule(finding.rule).sentence)) + evidence_list(finding);
  if (!finding.fix.empty()) text += code_block(finding.fix, "js") + "\n";
  return text;
}

std::string_view standing_title(Standing standing) {
  switch (standing) {
    case Standing::confirmed:
      return "Confirmed by this run";
    case Standing::likely:
      return "Likely";
    case Standing::possible:
      break;
  }
  return "Possible";
}

std::string joined_finding(const Causes& causes, const JoinedFinding& joined) {
  const ReviewFinding& finding = causes.review.findings[joined.finding];
  return fmt::format("### {}\n\n**{}**: {}.\n\n", title_of(finding),
                     standing_title(joined.standing), prose(joined.because)) +
         finding_body(finding);
}

std::string unexplained_list(const Causes& causes) {
  if (causes.join.unexplained.empty()) return "";
  std::string text = "### Measured, and not explained by a finding\n\n";
  for (const std::size_t index : causes.join.unexplained)
    text += "- " + cause_line(causes.heap.causes[index]) + "\n";
  return text + "\n";
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

// What is not a finding: the answers of all rules, what its author had ignored, what was not read.
std::string review_tail(const Review& review) {
  std::string text = checks_markdown(review);
  for (const SuppressedFinding& each : review.suppressed)
    text += fmt::format("- ignored by its author: {} at {}: {}\n", each.finding.rule,
                        place_of(each.finding.at), prose(each.reason));
  for (const UnreadSource& unread : review.unread)
    text +=
        fmt::format("- not read: {}{}\n", unread.path.empty() ? "" : code_span(unread.path) + ": ",
                    prose(unread.why));
  if (!review.suppressed.empty() || !review.unread.empty()) text += "\n";
  return text;
}

std::string read_line(const Review& review) {
  return fmt::format("{} read, {} where connections come in", counted(review.files, "file"),
                     counted(review.servers.size(), "place"));
}

}  // namespace

std::string review_section(const Review& review) {
  std::string text = fmt::format("## Code Review Findings\n\n{}, {}.\n\n", read_line(review),
                                 counted(review.findings.size(), "finding"));
  for (const ReviewFinding* finding : by_severity(review))
    text += fmt::format("### {}\n\n{}", title_of(*finding), finding_body(*finding));
  return text + review_tail(review);
}

std::string joined_review_section(const Causes& causes) {
  const Review& review = causes.review;
  std::string text = "## Code Review Findings\n\n";
  if (review.files == 0) {
    text += "The source was not read; `--source PATH` names it.\n\n";
    return text + unexplained_list(causes) + review_tail(review);
  }
  const auto with = [&](Standing standing) {
    return std::ranges::count(causes.join.findings, standing, &JoinedFinding::standing);
  };
  text +=
      fmt::format("{}: {} confirmed by this run, {} likely, {} possible.\n\n", read_line(review),
                  with(Standing::confirmed), with(Standing::likely), with(Standing::possible));
  std::string possible;
  for (const JoinedFinding& joined : causes.join.findings) {
    std::string& into = joined.standing == Standing::possible ? possible : text;
    into += joined_finding(causes, joined);
  }
  text += unexplained_list(causes);
  if (!possible.empty()) text += details("Possible, and not confirmed by this run", possible);
  return text + review_tail(review);
}

std::string finding_line(const ReviewFinding& finding) {
  return fmt::format("Mend {} ({}): {}", place_of(finding.at), finding.rule,
                     sentence(finding.reason));
}

}  // namespace ebbtide
