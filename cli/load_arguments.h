// Answers: which options do `ebbtide connections` and `ebbtide broadcast` add to those of every
// run?
#pragma once

#include <CLI/CLI.hpp>
#include <string>
#include <vector>

#include "cli/options.h"
#include "cli/run_arguments.h"
#include "recording/result.h"

namespace ebbtide {

struct ConnectionsArguments {
  RunArguments run;
};

struct BroadcastArguments {
  RunArguments run;
  std::string trigger;
  std::vector<std::string> headers;
  double duration_seconds = 30;
  double timeout_seconds = 5;
};

// All options of the command, and those alone that no other command has.
void define_connections(CLI::App& app, ConnectionsArguments& arguments,
                        ConnectionsOptions& options);
void define_levels(CLI::App& app, ConnectionsOptions& options);
Result<void> finish_connections(const CLI::App& app, const ConnectionsArguments& arguments,
                                ConnectionsOptions& options);

void define_broadcast(CLI::App& app, BroadcastArguments& arguments, BroadcastOptions& options);
void define_trigger(CLI::App& app, BroadcastArguments& arguments, BroadcastOptions& options);
Result<void> finish_broadcast(const CLI::App& app, const BroadcastArguments& arguments,
                              BroadcastOptions& options);

}  // namespace ebbtide
