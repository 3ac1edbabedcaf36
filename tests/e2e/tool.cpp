#include "tests/e2e/tool.h"

#include <gtest/gtest.h>

#include <fstream>
#include <iterator>

namespace ebbtide {

using namespace std::chrono_literals;

ToolRun ebbtide(std::vector<std::string> arguments, const ProcessOptions& options,
                const std::vector<std::string>& wrapper) {
  arguments.insert(arguments.begin(), BINARY_DIR "/ebbtide");
  arguments.insert(arguments.begin(), wrapper.begin(), wrapper.end());
  Process process(arguments, options);
  const bool ended = process.wait(120s);
  EXPECT_TRUE(ended) << "ebbtide did not end\n" << process.out() << process.err();
  return {process.exit_code(), process.out(), process.err()};
}

std::string contents_of(const std::filesystem::path& path) {
  std::ifstream file(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(file), std::istreambuf_iterator<char>()};
}

nlohmann::json json_in(const std::filesystem::path& path) {
  const std::string text = contents_of(path);
  nlohmann::json json = nlohmann::json::parse(text, nullptr, false);
  if (json.is_discarded()) {
    ADD_FAILURE() << "no JSON in " << path << ": " << text;
    return nullptr;
  }
  return json;
}

nlohmann::json results_in(const std::filesystem::path& directory) {
  return json_in(directory / "results.json");
}

}  // namespace ebbtide
