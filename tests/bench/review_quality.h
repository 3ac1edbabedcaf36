// Answers: of the faults in the labelled set of tests/review, how many does the code review find,
// and how much of what it says is true?
#pragma once

#include "tests/bench/table.h"

namespace ebbtide {

Result<Rows> measure_review_quality();

}  // namespace ebbtide
