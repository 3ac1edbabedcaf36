// Answers: what stands under "Code Review Findings" in a report? What was found, most serious
// first, and what was found in order, each with its lines.
#pragma once

#include <string>

#include "analysis/causes/causes.h"
#include "analysis/review/review.h"

namespace ebbtide {

// Markdown with a heading of level 2, ending with a blank line.
std::string review_section(const Review& review);

// The same beside a measurement: what the run confirmed first, each with how it stands, and what
// was measured that no finding explains.
std::string joined_review_section(const Causes& causes);

// "Mend `hub.ts:12` (LC001): …": a finding in one line, escaped, without its period.
std::string finding_line(const ReviewFinding& finding);

}  // namespace ebbtide
