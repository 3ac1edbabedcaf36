// Answers: how does a review read on a terminal? Most serious first, each finding with its place,
// its evidence and what to write instead; then what was found in order and what was not read.
#pragma once

#include <string>
#include <vector>

#include "analysis/review/review.h"

namespace ebbtide {

struct ReviewTextOptions {
  bool checks = false;  // also what each rule answered
};

std::string review_text(const Review& review, const ReviewTextOptions& options = {});

// "error", "warning", "info"
std::string severity_name(Severity severity);
// "pass", "finding", "not checkable"
std::string outcome_name(CheckOutcome outcome);
// The order in which findings are read: most serious first.
std::vector<const ReviewFinding*> by_severity(const Review& review);

}  // namespace ebbtide
