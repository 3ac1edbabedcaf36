// Answers: how does a code host or an editor read a review? As SARIF 2.1.0, with rule ids that stay
// and fingerprints that survive edits.
#pragma once

#include <string>
#include <string_view>

#include "analysis/review/review.h"

namespace ebbtide {

std::string review_sarif(const Review& review, std::string_view tool_version);

}  // namespace ebbtide
