// Answers: what did the tool print, with which exit code did it end, and what did it write?
#pragma once

#include <nlohmann/json.hpp>

#include <filesystem>
#include <string>
#include <vector>

#include "tests/e2e/process.h"

namespace ebbtide {

struct ToolRun {
  int exit_code = -1;
  std::string out;
  std::string err;
};

// Runs build/ebbtide to its end; a run that takes longer than two minutes fails the test.
ToolRun ebbtide(std::vector<std::string> arguments, const ProcessOptions& options = {},
                const std::vector<std::string>& wrapper = {});

// A null value, and a failed test, when the file is no JSON.
nlohmann::json json_in(const std::filesystem::path& path);

// DIR/results.json; a null value, and a failed test, when it is no JSON.
nlohmann::json results_in(const std::filesystem::path& directory);

std::string contents_of(const std::filesystem::path& path);

}  // namespace ebbtide
