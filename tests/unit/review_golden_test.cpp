// One server's review in all its forms, against tests/golden/review/. After a wanted change of the
// text, write them anew and read the difference:
//
//   EBBTIDE_UPDATE_GOLDEN=1 build/review_golden_test && git diff tests/golden/review
#include <gtest/gtest.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <nlohmann/json.hpp>

#include "analysis/report/review_json.h"
#include "analysis/report/review_sarif.h"
#include "analysis/report/review_section.h"
#include "analysis/report/review_text.h"
#include "node_program.h"
#include "review_source.h"

namespace ebbtide {
namespace {

namespace fs = std::filesystem;

const fs::path golden_directory = SOURCE_DIR "/tests/golden/review";

Review review_of_golden_server() {
  std::vector<SourceFile> files;
  const fs::path server = golden_directory / "server";
  for (const auto& entry : fs::recursive_directory_iterator(server)) {
    if (entry.is_regular_file())
      files.push_back({.path = entry.path().lexically_relative(server).generic_string(),
                       .text = text_of_file(entry.path()),
                       .location = ""});
  }
  Review review = review_files(files);
  review.unread.push_back({"src/vendor.js", "minified"});
  return review;
}

void expect_golden_text(const std::string& name, const std::string& text) {
  const fs::path path = golden_directory / name;
  if (std::getenv("EBBTIDE_UPDATE_GOLDEN") != nullptr) {
    std::ofstream(path, std::ios::binary) << text;
    return;
  }
  EXPECT_EQ(text, text_of_file(path)) << "see the top of review_golden_test.cpp";
}

TEST(ReviewGolden, OneServerInAllForms) {
  const Review review = review_of_golden_server();
  expect_golden_text("review.txt", review_text(review, {.checks = true}));
  expect_golden_text("review.md", review_section(review));
  expect_golden_text("review.json", review_json(review));
  expect_golden_text("review.sarif", review_sarif(review, "0"));
}

void expect_valid_sarif(const std::vector<std::string>& texts) {
  const TemporaryDirectory directory;
  std::vector<std::string> arguments{SOURCE_DIR "/tests/review/validate_sarif.js"};
  for (const std::string& text : texts) {
    const std::string file = directory.file(std::to_string(arguments.size()) + ".sarif");
    std::ofstream(file, std::ios::binary) << text;
    arguments.push_back(file);
  }
  run_node(20, arguments);
}

TEST(ReviewSarif, IsValidByTheOfficialSchema) {
  Review odd = review_of("require('ws'); \xff\xfe ) (", "/home/with space/\xff#?.js");
  odd.unread.push_back({"", "7 more files were not read"});
  expect_valid_sarif({review_sarif(review_of_golden_server(), "0"),
                      review_sarif(review_of(ws_server("clients.set(ws, '\x1b\xc3\x28');")), "0"),
                      review_sarif(odd, "0"), review_sarif({}, "0")});
}

// What the schema cannot say: every result names a rule that is there, at its index.
TEST(ReviewSarif, ResultsNameTheirRules) {
  const auto sarif = nlohmann::json::parse(review_sarif(review_of_golden_server(), "0"));
  const auto& run = sarif.at("runs").at(0);
  const auto& rules = run.at("tool").at("driver").at("rules");
  ASSERT_FALSE(run.at("results").empty());
  for (const auto& result : run.at("results"))
    EXPECT_EQ(rules.at(result.at("ruleIndex").get<std::size_t>()).at("id"), result.at("ruleId"));
}

}  // namespace
}  // namespace ebbtide
