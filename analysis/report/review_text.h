// Answers: how does a review read on a terminal? Most serious first, each finding with its place,
// its evidence and what to write instead; then what was found in order and what was not read.
#pragma once

#include <string>

#include "analysis/review/review.h"

namespace ebbtide {

struct ReviewTextOptions {
  bool checks = false;  // also what was found in order
};

std::string review_text(const Review& review, const ReviewTextOptions& options = {});

// "error", "warning", "info"
std::string severity_name(Severity severity);

}  // namespace ebbtide
