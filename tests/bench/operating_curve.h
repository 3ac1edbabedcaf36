// Answers: what does the verdict become as a leak grows? The operating curve as a drawing.
#pragma once

#include <string>

#include "tests/bench/verdict_rates.h"

namespace ebbtide {

// An SVG document: a panel for each number of cycles, memory above, descriptors below; in it a bar
// for each size of leak, divided by the verdicts given.
std::string operating_curve_svg(const VerdictRates& rates);

}  // namespace ebbtide
