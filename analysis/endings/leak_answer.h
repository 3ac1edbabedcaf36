// Answers: what does a leak run come to? The verdict of its main experiment, what keeps what stays,
// and what the other ways of ending a connection add to it.
#pragma once

#include "analysis/causes/causes.h"
#include "analysis/endings/close_modes.h"
#include "analysis/verdict.h"
#include "recording/run.h"

namespace ebbtide {

struct LeakAnswer {
  Recording main;         // main_part() of the run
  Assessment assessment;  // of all
  Causes causes;          // in the main experiment
  CloseModes modes;
};

LeakAnswer answer_leak_run(const Recording& run);

}  // namespace ebbtide
