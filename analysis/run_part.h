// Answers: what had a run recorded before one of its cycles began?
#pragma once

#include <cstdint>

#include "recording/run.h"

namespace ebbtide {

// The cycles before `cycle` and what belongs to them. Deaths that came later stay known, and how
// the run ended stays as it was.
Recording run_before(const Recording& run, std::uint32_t cycle);

}  // namespace ebbtide
