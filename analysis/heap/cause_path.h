// Answers: how is a retainer path said in one line? "server.ts:11 matchSubscribers (Map) → Set →
// WebSocket": what a person knows from the source, without what the runtime puts in between.
#pragma once

#include <span>
#include <string>

#include "recording/run.h"

namespace ebbtide {

// Steps from below the root down to what is kept. The text holds what the target controls.
std::string path_text(std::span<const HeapPath* const> steps);

// "server.ts:11", "node:internal/timers"; "" when the script is not known.
std::string place_text(const CodePosition& position);

}  // namespace ebbtide
