// Answers: what does a person read after a leak run? The verdict first, then what it rests on, for
// somebody who stops after ten lines; evidence and conditions follow.
#pragma once

#include <string>

#include "analysis/causes/causes.h"
#include "analysis/endings/close_modes.h"
#include "analysis/verdict.h"
#include "recording/run.h"

namespace ebbtide {

// The Markdown of 06-03-memory-analysis.md. `recording` is the main experiment's. The same
// recording gives the same bytes.
std::string memory_report(const Recording& recording, const Assessment& assessment,
                          const Causes& causes = {}, const CloseModes& modes = {});

// For a terminal: the answer, and beside a LEAK what keeps it and which line to mend.
std::string memory_summary_text(const Assessment& assessment, const Causes& causes,
                                const CloseModes& modes = {});

}  // namespace ebbtide
