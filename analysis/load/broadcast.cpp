#include "analysis/load/broadcast.h"

namespace ebbtide {

BroadcastAssessment assess_broadcast(const Recording&) { return {}; }

}  // namespace ebbtide
