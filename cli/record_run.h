// Answers: how does one command become one recording? Finds the target, attaches, runs the
// experiment, and leaves DIR/KIND.ebbtide.
#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <vector>

#include "cli/experiment.h"
#include "cli/options.h"
#include "recording/result.h"
#include "recording/run.h"
#include "tracer/target.h"
#include "tracer/tracer.h"

namespace ebbtide {

struct RunRequest {
  RunKind kind = RunKind::leak;
  const RunOptions& options;
  std::vector<std::uint32_t> doses;  // connections of each cycle; 0: an idle control
  TracerOptions tracing;             // `ebpf` is taken from `options`
  // Asked when the doses are done, with the recording so far.
  std::function<NextCycles(const Recording& recording)> next = nullptr;
  bool snapshot = false;                 // have the target write heap snapshots
  const TriggerPlan* trigger = nullptr;  // what is done while they are up; nullptr: they are held
  // Rows that are known before the run, such as the target's source.
  std::function<Result<std::vector<Record>>(const Target& target, bool is_v8)> prepare = nullptr;
};

// Returns the recording's path. Errors leave no file, unless the message names one.
Result<std::string> record_run(const RunRequest& request, const std::string& command_line);

}  // namespace ebbtide
