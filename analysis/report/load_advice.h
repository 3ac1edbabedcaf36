// Answers: what is to be done about what limits connections or a broadcast?
#pragma once

#include <string>
#include <vector>

#include "analysis/load/broadcast.h"
#include "analysis/load/levels.h"

namespace ebbtide {

// Items of a list, Markdown, the most pressing first.
std::vector<std::string> connections_advice(const LevelsAssessment& assessment);
std::vector<std::string> broadcast_advice(const BroadcastAssessment& assessment);

}  // namespace ebbtide
