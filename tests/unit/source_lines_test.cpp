// Where a byte is, in the columns that V8 counts.
#include "analysis/review/source_lines.h"

#include <gtest/gtest.h>

#include <random>

#include "analysis/review/ast.h"
#include "review_source.h"

namespace ebbtide {
namespace {

std::uint32_t column_of(const std::string& text, std::string_view part) {
  return SourceLines(text).position(static_cast<std::uint32_t>(text.find(part))).column;
}

TEST(SourceLines, CountsUtf16CodeUnits) {
  EXPECT_EQ(column_of("abc x", "x"), 5u);
  EXPECT_EQ(column_of("é x", "x"), 3u);
  EXPECT_EQ(column_of("汉 x", "x"), 3u);
  EXPECT_EQ(column_of("😀 x", "x"), 4u);
  EXPECT_EQ(column_of("😀\né汉😀 x", "x"), 6u);
}

TEST(SourceLines, AByteOrderMarkIsNotThere) {
  EXPECT_EQ(column_of("\xEF\xBB\xBFx", "x"), 1u);
  EXPECT_EQ(column_of("\xEF\xBB\xBF a\n x", "x"), 2u);
}

TEST(SourceLines, AFindingBehindWideCharactersIsWhereV8SeesIt) {
  const std::string line = "  /* é汉😀 */ clients.set(ws, 1);";
  const Review review = review_of(ws_server(line));
  ASSERT_EQ(review.findings.size(), 1u);
  EXPECT_EQ(review.findings.front().at.range.column, 14u);
}

// The text in UTF-16 is the reference: each position is counted there from the start of its line.
TEST(SourceLines, AgreesWithTheTextInUtf16) {
  std::mt19937 random(7);
  const std::vector<std::pair<std::string, int>> characters = {{"a", 1},  {"\n", 1}, {"é", 1},
                                                               {"汉", 1}, {"😀", 2},  {" ", 1}};
  std::string text;
  std::vector<std::pair<std::uint32_t, SourceLines::Position>> expected;
  SourceLines::Position at{1, 1};
  for (int i = 0; i < 5000; i++) {
    const auto& [bytes, units] = characters[random() % 100 == 0 ? 1
                                            : random() % 6 == 1 ? 0
                                                                : random() % 6];
    expected.emplace_back(text.size(), at);
    text += bytes;
    at = bytes == "\n" ? SourceLines::Position{at.line + 1, 1}
                       : SourceLines::Position{at.line, at.column + units};
  }
  expected.emplace_back(text.size(), at);
  const SourceLines lines(text);
  for (const auto& [byte, position] : expected) {
    ASSERT_EQ(lines.position(byte).line, position.line) << byte;
    ASSERT_EQ(lines.position(byte).column, position.column) << byte;
  }
}

TEST(ReviewFingerprints, DoNotDependOnTheWayToTheFile) {
  const std::string text = ws_server("  clients.set(ws, 1);");
  const std::string plain = review_of(text, "src/a.js").findings.front().fingerprint;
  EXPECT_EQ(plain, review_of(text, "/home/me/src/a.js").findings.front().fingerprint);
  EXPECT_EQ(plain, review_of(text, "a.js").findings.front().fingerprint);
}

TEST(ReviewFingerprints, TellFilesOfOneNameApart) {
  const std::string text = ws_server("  clients.set(ws, 1);");
  const Review review = review_files({{"a/index.js", text}, {"b/index.js", text}});
  ASSERT_EQ(review.findings.size(), 2u);
  EXPECT_NE(review.findings[0].fingerprint, review.findings[1].fingerprint);
}

}  // namespace
}  // namespace ebbtide
