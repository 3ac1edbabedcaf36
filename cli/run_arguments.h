// Answers: which options do all runs share, and what do their texts mean?
#pragma once

#include <CLI/CLI.hpp>
#include <chrono>
#include <cstdint>
#include <string>
#include <vector>

#include "cli/options.h"
#include "recording/result.h"

namespace ebbtide {

inline constexpr std::uint32_t max_connections = 50000;
inline constexpr double max_seconds = 3600;

// What CLI11 fills in before it becomes RunOptions: texts and seconds.
struct RunArguments {
  std::string url;
  std::vector<std::string> sends, expects, headers;
  std::string close_modes = "clean";  // or "all"
  double hold_seconds = 0.1;
  double timeout_seconds = 5;
  double close_timeout_seconds = 1;
  double half_open_seconds = 5;
  double settle_cap_seconds = 3;
  std::int32_t pid = 0;
  bool burst = false;
  bool no_inspector = false, no_heap_census = false, no_ebpf = false;
};

// All of them but --hold.
void define_run(CLI::App& app, RunArguments& arguments, RunOptions& options);
void define_hold(CLI::App& app, RunArguments& arguments);

// Error: something that only shows when the texts are read.
Result<void> finish_run(const CLI::App& app, const RunArguments& arguments, RunOptions& options);

Result<std::pair<std::string, std::string>> parse_header(const std::string& text);

std::chrono::milliseconds to_milliseconds(double seconds);

// A range that also turns away "nan", which compares as within any.
CLI::Validator seconds_between(double low, double high);
CLI::Validator rate_between(double low, double high);

}  // namespace ebbtide
