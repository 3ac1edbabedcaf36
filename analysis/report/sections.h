// Answers: what stands under each heading of the memory report? Each function gives the Markdown of
// one section, heading included, ending with a blank line.
#pragma once

#include <string>

#include "analysis/causes/causes.h"
#include "analysis/endings/close_modes.h"
#include "analysis/join.h"
#include "analysis/verdict.h"
#include "recording/run.h"

namespace ebbtide {

// What every section is made from.
struct ReportInput {
  const Recording& recording;
  const Assessment& assessment;
  const SocketJoin& join;
  const Causes& causes;
  const CloseModes& modes;
};

std::string disturbances_part(const ReportInput& input);       // … what else happened
std::string test_results_section(const ReportInput& input);    // Memory Test Results
std::string connections_part(const ReportInput& input);        // … its driver's and sockets' view
std::string leak_detection_section(const ReportInput& input);  // Leak Detection
std::string heap_part(const ReportInput& input);               // … what keeps JavaScript objects
std::string ledger_part(const ReportInput& input);             // … into what resident memory grew
std::string recommendations_section(const ReportInput& input);  // Recommendations for Phase 7

// "run again with --cycles 40: …": what would decide what these have left open; "" when nothing is
// open, or its reason says that itself.
std::string what_decides(const Recording& recording, const Assessment& assessment);

// "7", "7 (idle)", "7 (cool-down)".
std::string cycle_title(const Recording& recording, const Cycle& cycle);

// "Kept by …": a cause in one line, escaped.
std::string cause_line(const HeapCause& cause);

}  // namespace ebbtide
