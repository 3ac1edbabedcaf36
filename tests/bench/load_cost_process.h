// Answers: what did one client cost, in a process that did nothing else? A fresh process for each
// measurement: memory that an earlier one left to the allocator would flatter the next.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

namespace ebbtide {

// The process behind the benchmark's hidden arguments; `arguments` is one of
//   native-server
//   raw PORT COUNT        prints what a LoadSample holds
//   ebbtide PORT COUNT    the same
//   broadcast PORT CLIENTS TRIGGERS    prints deliveries per CPU second
// Returns the exit code.
int run_load_process(const std::vector<std::string>& arguments);

}  // namespace ebbtide
