// Answers: how long did a run of the tool take, how much CPU and how much memory?
#pragma once

#include <string>
#include <vector>

#include "recording/result.h"

namespace ebbtide {

struct ToolRun {
  double wall_s = 0;
  double cpu_s = 0;             // user and system, all threads
  double peak_resident_mb = 0;  // MB = 1,000,000 bytes
};

// Runs the tool with `arguments` to its end; what it prints on stdout is dropped. An error when it
// could not do its work (a verdict of any kind is work done).
Result<ToolRun> run_tool(std::vector<std::string> arguments);

// The same for any program: `command` begins with its path.
Result<ToolRun> run_program(const std::vector<std::string>& command);

}  // namespace ebbtide
