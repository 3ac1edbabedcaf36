// Answers: is a text still what its golden file in tests/golden/ says? After a wanted change, write
// them anew and read the difference:
//
//   EBBTIDE_UPDATE_GOLDEN=1 build/analysis_report_test && git diff tests/golden
#pragma once

#include <gtest/gtest.h>

#include <cstdlib>
#include <fstream>
#include <sstream>
#include <string>

namespace ebbtide {

inline void expect_golden(const std::string& name, const std::string& text) {
  const std::string path = std::string(SOURCE_DIR) + "/tests/golden/" + name;
  if (std::getenv("EBBTIDE_UPDATE_GOLDEN") != nullptr) {
    std::ofstream(path, std::ios::binary) << text;
    return;
  }
  std::ifstream file(path, std::ios::binary);
  ASSERT_TRUE(file) << path;
  std::ostringstream golden;
  golden << file.rdbuf();
  EXPECT_EQ(text, golden.str()) << "see the top of golden_file.h";
}

}  // namespace ebbtide
