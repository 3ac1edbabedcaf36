// Answers: how do one command line and ebbtide.toml become the three runs of `ebbtide profile`?
#pragma once

#include <CLI/CLI.hpp>
#include <set>
#include <string>

#include "cli/leak_arguments.h"
#include "cli/load_arguments.h"
#include "cli/options.h"
#include "cli/run_arguments.h"
#include "recording/result.h"

namespace ebbtide {

struct ProfileArguments {
  std::string config;  // "": ebbtide.toml of the current directory, if there is one
  // What the options of the parts are checked with; their texts are passed on.
  RunArguments run;
  RunOptions run_options;
  LeakArguments leak_arguments;
  LeakOptions leak;
  ConnectionsOptions connections;
  BroadcastArguments broadcast_arguments;
  BroadcastOptions broadcast;
  std::set<const CLI::Option*> leak_only, connections_only, broadcast_only;
};

void define_profile(CLI::App& app, ProfileArguments& arguments);

// Reads the file. Its top level holds options of all runs by their long names, url and
// steps = [{send = "…"}, {expect = "…"}]; [leak], [connections] and [broadcast] those of one run.
// What the command line says replaces what the file says.
Result<ProfileOptions> finish_profile(const CLI::App& app, const ProfileArguments& arguments);

}  // namespace ebbtide
