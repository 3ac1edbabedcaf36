// Answers: what is the answer of every rule, the ones that found nothing included?
#pragma once

#include "analysis/review/review.h"

namespace ebbtide {

// Adds to the checks of the rules one for each finding, told or suppressed, and one for each rule
// that had nothing to say; then puts them in order.
void answer_every_rule(Review& review);

}  // namespace ebbtide
