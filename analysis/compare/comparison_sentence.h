// Answers: how is a comparison said in one sentence with its numbers?
#pragma once

#include <string>

#include "analysis/compare/compare.h"

namespace ebbtide {

// `comparison` is complete but for its sentence; `why` is what its figures do not say, "" when they
// say it all.
std::string comparison_sentence(const Comparison& comparison, const std::string& why);

}  // namespace ebbtide
