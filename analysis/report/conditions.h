// Answers: under which conditions did a run stand, and how is it repeated? The end of every report.
#pragma once

#include <string>

#include "recording/run.h"

namespace ebbtide {

// The Markdown of "Conditions" and "How to reproduce".
std::string conditions_section(const Recording& recording);

// "completed", "interrupted", … as a sentence part; may hold text that the target controls.
std::string how_it_ended(const Recording& recording);

// A list item that names what was not observed; "" when nothing was lost.
std::string losses_line(const Recording& recording);

}  // namespace ebbtide
