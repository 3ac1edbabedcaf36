// Answers: what does a program read after a leak run? results.json, stable and versioned: keys are
// only ever added under one "schema" number; units are in the keys' names.
#pragma once

#include <string>

#include "analysis/endings/leak_answer.h"
#include "recording/run.h"

namespace ebbtide {

inline constexpr int results_schema = 1;

// Ends with a line break. The same recording gives the same bytes.
std::string results_json(const Recording& run, const LeakAnswer& answer);

}  // namespace ebbtide
