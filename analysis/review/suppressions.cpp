#include "analysis/review/suppressions.h"

#include <algorithm>

namespace ebbtide {
namespace {

constexpr std::string_view marker = "ebbtide-ignore";

// The words after the marker: rule ids up to the first other word, then the reason.
bool names_rule(std::string_view text, std::string_view rule, std::string& reason) {
  const auto at = text.find(marker);
  if (at == std::string_view::npos) return false;
  text.remove_prefix(at + marker.size());
  if (text.ends_with("*/")) text.remove_suffix(2);
  bool named = false;
  for (;;) {
    const auto start = text.find_first_not_of(" ,\t");
    if (start == std::string_view::npos) return named;
    text.remove_prefix(start);
    const std::string_view word = text.substr(0, text.find_first_of(" ,\t"));
    const auto& rules = review_rules();
    const bool id = std::any_of(rules.begin(), rules.end(),
                                [&](const ReviewRule& each) { return each.id == word; });
    if (!id) {
      reason = text.substr(0, text.find_last_not_of(" \t\r") + 1);
      return named;
    }
    named = named || word == rule;
    text.remove_prefix(word.size());
  }
}

// A comment that has a line to itself speaks of the next one.
bool stands_alone(const AstFile& file, const SourceComment& comment) {
  const std::uint32_t start = file.lines.start_of(comment.line);
  const std::string_view before = file.text.substr(
      start, static_cast<std::size_t>(comment.text.data() - file.text.data()) - start);
  return before.find_first_not_of(" \t") == std::string_view::npos;
}

}  // namespace

void suppress_marked(const Ast& ast, Review& review) {
  const auto is_marked = [&](const ReviewFinding& finding, std::string& reason) {
    for (const AstFile& file : ast.files()) {
      if (file.path != finding.at.path) continue;
      for (const SourceComment& comment : file.comments) {
        const std::uint32_t line = finding.at.range.line;
        const bool near =
            comment.line == line || (comment.line + 1 == line && stands_alone(file, comment));
        if (near && names_rule(comment.text, finding.rule, reason)) return true;
      }
    }
    return false;
  };
  std::vector<ReviewFinding> standing;
  for (ReviewFinding& finding : review.findings) {
    std::string reason;
    if (is_marked(finding, reason))
      review.suppressed.push_back({std::move(finding), reason});
    else
      standing.push_back(std::move(finding));
  }
  review.findings = std::move(standing);
}

}  // namespace ebbtide
