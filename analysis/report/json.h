// Answers: what does a program read after a leak run? results.json, stable and versioned: keys are
// only ever added under one "schema" number; units are in the keys' names.
#pragma once

#include <string>

#include "analysis/causes/causes.h"
#include "analysis/endings/close_modes.h"
#include "analysis/verdict.h"
#include "recording/run.h"

namespace ebbtide {

inline constexpr int results_schema = 1;

// Ends with a line break. The same recording gives the same bytes.
std::string results_json(const Recording& recording, const Assessment& assessment,
                         const Causes& causes = {}, const CloseModes& modes = {});

}  // namespace ebbtide
