// Answers: what does a program read after a review? Our own JSON, stable and versioned, and
// SARIF 2.1.0 for code hosts and editors.
#pragma once

#include <string>
#include <string_view>

#include "analysis/review/review.h"

namespace ebbtide {

inline constexpr int review_schema = 1;

// Both end with a line break; the same review gives the same bytes.
std::string review_json(const Review& review);
std::string review_sarif(const Review& review, std::string_view tool_version);

}  // namespace ebbtide
