// Answers: what stands under "Code Review Findings" in a report? What was found, most serious
// first, and what was found in order, each with its lines.
#pragma once

#include <string>

#include "analysis/review/review.h"

namespace ebbtide {

// Markdown with a heading of level 2, ending with a blank line.
std::string review_section(const Review& review);

}  // namespace ebbtide
