// Answers: how many records per second does the tracer take from the kernel without losing one, and
// is every lost one counted?
#pragma once

#include <string>

#include "tests/bench/table.h"
#include "tests/e2e/server.h"

namespace ebbtide {

// Floods the ring of a tracer attached to `server` at several rates. What was drained is counted in
// the recording, at the far end. Recordings go to `directory`.
Result<Rows> measure_pump(const Server& server, const std::string& directory);

}  // namespace ebbtide
