// Answers: which part of a run ended its connections in one way? A run begins with its main
// experiment; a short pass of each other close mode follows.
#pragma once

#include <cstdint>
#include <optional>
#include <vector>

#include "recording/run.h"

namespace ebbtide {

// The mode of the main experiment.
CloseMode main_mode(const Recording& run);

// What the plan names, in the order run, the main experiment's first; without a plan what was run.
std::vector<CloseMode> planned_modes(const Recording& run);

// Where a run ended that did not complete.
struct CutOff {
  std::uint32_t cycle = 0;        // the last that began
  bool finished = false;          // that cycle
  std::optional<CloseMode> pass;  // when it belongs to one
};

// Nothing when the run completed, or ended before its first cycle.
std::optional<CutOff> cut_off(const Recording& run);

// The run as if it had ended with its main experiment: completed, when a pass began.
Recording main_part(const Recording& run);

// The finished cycles of one pass; the settle point before them is its baseline, cycle 0. Without
// tiers, losses and notes, which are the whole run's.
Recording pass_part(const Recording& run, CloseMode mode);

}  // namespace ebbtide
