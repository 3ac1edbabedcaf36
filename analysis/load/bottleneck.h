// Answers: what bounds a broadcast: the tool, a peer of the server, the trigger, the event loop or
// clients that do not read?
#pragma once

#include "analysis/load/broadcast.h"

namespace ebbtide {

// `assessment` is complete but for its bottleneck and its sentences. The order of the questions is
// the rule: a tool that is busy itself measures nothing else; a peer that is waited for explains a
// slow trigger; a busy loop explains what is left.
void find_bottleneck(BroadcastAssessment& assessment);

// Whether most of the delivery latency passes after the trigger's answer.
bool broadcasts_later(const BroadcastAssessment& assessment);

// The answer in one or two sentences. May hold text that the target controls.
std::string broadcast_sentence(const Recording& recording, const BroadcastAssessment& assessment);

}  // namespace ebbtide
