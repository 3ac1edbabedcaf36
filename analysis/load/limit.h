// Answers: at which level does the target degrade, and what stands behind it?
#pragma once

#include <vector>

#include "analysis/load/levels.h"
#include "recording/run.h"

namespace ebbtide {

// The first level that shows one of the causes, the most specific of them. This machine's own limit
// is named only when no level shows another cause.
Limit find_limit(const Recording& recording, const std::vector<LevelReport>& levels);

// Whether the target itself ended the run.
bool target_died(const RunEnd& end);

// "was killed (signal 9)"; a sentence part, "" when the run completed.
std::string end_of_run(const RunEnd& end);

}  // namespace ebbtide
