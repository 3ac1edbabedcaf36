// Answers: what does a program read after a review? JSON of our own, stable and versioned.
#pragma once

#include <nlohmann/json_fwd.hpp>
#include <string>

#include "analysis/causes/causes.h"
#include "analysis/review/review.h"

namespace ebbtide {

inline constexpr int review_schema = 1;

// Ends with a line break; the same review gives the same bytes.
std::string review_json(const Review& review);

// The review as review_json() has it; its findings in the order of the join and with "standing",
// "because", and the indices of the causes they explain in results.json's heap.causes.
nlohmann::ordered_json joined_review_json(const Causes& causes);

}  // namespace ebbtide
