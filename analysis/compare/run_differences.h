// Answers: in what else do two runs differ than in what they measured? What may explain a change
// that is no doing of the code.
#pragma once

#include <string>
#include <vector>

#include "recording/run.h"

namespace ebbtide {

struct RunDifference {
  std::string what;    // "runtime", "connections per cycle"
  std::string before;  // may hold what the target controls
  std::string after;
};

std::vector<RunDifference> run_differences(const Recording& before, const Recording& after);

// Whether both are (parts of) one and the same run.
bool is_one_run(const Recording& before, const Recording& after);

}  // namespace ebbtide
