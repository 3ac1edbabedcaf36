#include <fmt/format.h>

#include <algorithm>

#include "analysis/report/review_json.h"
#include "analysis/report/review_sarif.h"
#include "analysis/report/review_section.h"
#include "analysis/report/review_text.h"
#include "cli/commands.h"
#include "cli/exit_code.h"
#include "cli/source_tree.h"

namespace ebbtide {

namespace {

std::string written(const Review& review, const ReviewOptions& options) {
  switch (options.format) {
    case ReviewFormat::markdown:
      return review_section(review);
    case ReviewFormat::json:
      return review_json(review);
    case ReviewFormat::sarif:
      return review_sarif(review, EBBTIDE_VERSION);
    case ReviewFormat::text:
      break;
  }
  return review_text(review, {.checks = options.checks});
}

}  // namespace

Result<int> run_review(const ReviewOptions& options) {
  const auto tree = read_source_tree(options.paths);
  if (!tree) return tree.error();
  Review review = review_tree(tree->files);
  review.unread.insert(review.unread.end(), tree->unread.begin(), tree->unread.end());
  fmt::print("{}", written(review, options));
  const bool fails = std::any_of(review.findings.begin(), review.findings.end(),
                                 [&](const ReviewFinding& finding) {
                                   return options.fail_on && finding.severity >= *options.fail_on;
                                 });
  return fails ? exit_leak : exit_ok;
}

}  // namespace ebbtide
