// Answers: what does a client of many connections cost, the driver beside the least that is
// possible and beside its peers?
#pragma once

#include "tests/bench/table.h"

namespace ebbtide {

// CPU of opening and memory of holding 10,000 idle WebSocket connections to the native server, by
// each client in turn.
Result<Rows> measure_load_cost();

// What the driver takes in per second of its own CPU when a server broadcasts.
Result<Rows> measure_delivery_cost();

}  // namespace ebbtide
