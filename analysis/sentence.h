// Answers: how is the verdict said in one sentence with its number?
#pragma once

#include <string>

#include "analysis/join.h"
#include "analysis/verdict.h"
#include "recording/run.h"

namespace ebbtide {

// In which TCP state most of the driver's surviving sockets are and what that means, e.g.
// "in CLOSE_WAIT (the peer closed, the server never did)"; "" when none survive or they differ.
std::string survivor_state(const Recording& recording, const SocketJoin& join);

// Whether the clock alone took more in this run than would have been a leak.
bool clock_matters(const Recording& recording, const Assessment& assessment,
                   const Judgement& judgement);

// How the run ended when it did not end well, a sentence part: "the target exited (code 1)"; else
// "".
std::string end_text(const RunEnd& end);

// Why the run as a whole cannot exonerate the target (it died, hardly any connection came up), a
// sentence part; "" when nothing stands against it. A leak that was seen stays a leak.
std::string reservation(const Recording& recording, const Assessment& assessment);

// `assessment` is complete but for its sentence. May hold text that the target controls.
std::string verdict_sentence(const Recording& recording, const SocketJoin& join,
                             const Assessment& assessment);

}  // namespace ebbtide
