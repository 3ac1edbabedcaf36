// Answers: what does the tool itself need, from attach to report?
#pragma once

#include <string>

#include "tests/bench/table.h"

namespace ebbtide {

// Memory at 1,000 connections, against a clean server. Runs leave their files in `directory`.
Result<Rows> measure_tool_memory(const std::string& directory);

// Time of 10 cycles of 100 connections against the demo's leaky server, and where it goes.
Result<Rows> measure_tool_time(const std::string& directory);

// Time to report the recording that measure_tool_time() left, and its size.
Result<Rows> measure_analysis(const std::string& directory);

}  // namespace ebbtide
