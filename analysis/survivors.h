// Answers: what was born in a cycle and never went away? A leak leaves survivors in every cycle, in
// proportion to the dose; a warm-up, pool or cache leaves them only in the early ones.
#pragma once

#include <vector>

#include "analysis/join.h"
#include "analysis/verdict.h"
#include "recording/run.h"

namespace ebbtide {

// One row per kind that had any births and per finished cycle, idle controls included, in the order
// of ResourceKind and cycle. Of accepted sockets only the driver's own count, when they can be
// told. "At the end" is when the last finished cycle had settled: what dies with the target is no
// return.
std::vector<CohortSurvivors> find_survivors(const Recording& recording, const SocketJoin& join);

// The resources behind `alive_at_end` of one kind, of cycles with connections only; the largest
// first, then in the order of the recording.
std::vector<const Resource*> surviving_resources(const Recording& recording, const SocketJoin& join,
                                                 ResourceKind kind);

}  // namespace ebbtide
