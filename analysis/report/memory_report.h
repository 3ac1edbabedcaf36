// Answers: what does a person read after a leak run? The verdict first, then what it rests on, for
// somebody who stops after ten lines; evidence and conditions follow.
#pragma once

#include <string>

#include "analysis/endings/leak_answer.h"
#include "recording/run.h"

namespace ebbtide {

// The Markdown of 06-03-memory-analysis.md. The same recording gives the same bytes.
std::string memory_report(const Recording& run, const LeakAnswer& answer);

// For a terminal: the answer, beside a LEAK what keeps it and which line to mend, and how the run
// ended that did not complete.
std::string memory_summary_text(const Recording& run, const LeakAnswer& answer);

}  // namespace ebbtide
