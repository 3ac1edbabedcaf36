// Answers: which options does `ebbtide leak` add to those of every run?
#pragma once

#include <CLI/CLI.hpp>

#include "cli/options.h"

namespace ebbtide {

struct LeakArguments {
  double max_time_seconds = 120;
  double cool_down_seconds = 90;
  bool no_source = false;
};

void define_leak(CLI::App& app, LeakArguments& arguments, LeakOptions& options);
void finish_leak(const CLI::App& app, const LeakArguments& arguments, LeakOptions& options);

}  // namespace ebbtide
