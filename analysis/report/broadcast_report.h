// Answers: what does a person or a program read after `ebbtide broadcast`? The answer and the
// bottleneck first, then deliveries, latencies and what the server spent on them.
#pragma once

#include <string>

#include "analysis/load/broadcast.h"
#include "recording/run.h"

namespace ebbtide {

// The Markdown of 06-03-broadcast-profile.md. The same recording gives the same bytes.
std::string broadcast_report(const BroadcastAssessment& assessment, const Recording& recording);

// results-broadcast.json, in the conventions of json.h.
std::string broadcast_json(const BroadcastAssessment& assessment, const Recording& recording);

// For a terminal: at most 15 lines, the answer in the first.
std::string broadcast_summary_text(const BroadcastAssessment& assessment,
                                   const Recording& recording);

}  // namespace ebbtide
