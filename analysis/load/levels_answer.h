// Answers: how are the levels told in one sentence with its numbers?
#pragma once

#include <string>

#include "analysis/load/levels.h"
#include "recording/run.h"

namespace ebbtide {

// What opening the largest finished level waited for, a sentence part; "" when not known.
std::string opening_bound(const Recording& recording, const LevelsAssessment& assessment);

// How many connections would fill a round amount of memory, marked as extrapolated; "" when the
// cost of one is not known from zero apart.
std::string extrapolation(const LevelsAssessment& assessment);

// `assessment` is complete but for its sentence. May hold text that the target controls.
std::string levels_sentence(const Recording& recording, const LevelsAssessment& assessment);

// The cost by its subject; nullptr when it was not measured.
const ConnectionCost* cost_named(const LevelsAssessment& assessment, std::string_view subject);

}  // namespace ebbtide
