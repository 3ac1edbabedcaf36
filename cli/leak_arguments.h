// Answers: which options does `ebbtide leak` add to those of every run?
#pragma once

#include <CLI/CLI.hpp>

#include "cli/options.h"

namespace ebbtide {

void define_leak(CLI::App& app, LeakOptions& options, bool& no_source);

}  // namespace ebbtide
