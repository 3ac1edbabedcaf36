// Answers: what does a person or a program read after `ebbtide connections`? The answer first, then
// level by level what it rests on.
#pragma once

#include <string>

#include "analysis/load/levels.h"
#include "recording/run.h"

namespace ebbtide {

// The Markdown of 06-03-websocket-profile.md. The same recording gives the same bytes.
std::string connections_report(const LevelsAssessment& assessment, const Recording& recording);

// results-connections.json, in the conventions of json.h.
std::string connections_json(const LevelsAssessment& assessment, const Recording& recording);

// For a terminal: at most 15 lines, the answer in the first.
std::string connections_summary_text(const LevelsAssessment& assessment,
                                     const Recording& recording);

}  // namespace ebbtide
