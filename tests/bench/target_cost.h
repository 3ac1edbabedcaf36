// Answers: how much CPU does tracing cost the target, and everybody else?
#pragma once

#include <string>

#include "tests/bench/table.h"
#include "tests/e2e/server.h"

namespace ebbtide {

// CPU of `server` per connection with and without each kind of tracing attached. Recordings go to
// `directory`.
Result<Rows> measure_target_cost(const Server& server, const std::string& directory);

// What a system call of a process that nobody traces costs while `server` is traced.
Result<Rows> measure_bystander_cost(const Server& server, const std::string& directory);

}  // namespace ebbtide
