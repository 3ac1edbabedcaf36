// Answers: on which line and in which column is a byte of a file? Columns count UTF-16 code units,
// as V8 and SARIF do, so that a place found in the text is the place that a heap names.
#pragma once

#include <cstdint>
#include <string_view>
#include <vector>

namespace ebbtide {

class SourceLines {
 public:
  SourceLines() = default;
  explicit SourceLines(std::string_view text);  // must outlive this

  struct Position {
    std::uint32_t line = 0;    // from 1
    std::uint32_t column = 0;  // from 1
  };

  // In constant time but for a search among the lines: a file may be one line of many megabytes.
  [[nodiscard]] Position position(std::uint32_t byte) const;
  [[nodiscard]] std::uint32_t line(std::uint32_t byte) const;
  [[nodiscard]] std::uint32_t start_of(std::uint32_t line) const { return starts_[line - 1]; }

 private:
  [[nodiscard]] std::uint32_t units_before(std::uint32_t byte) const;

  std::string_view text_;
  std::vector<std::uint32_t> starts_;       // byte at which each line begins
  std::vector<std::uint32_t> checkpoints_;  // code units before every 1024th byte
};

}  // namespace ebbtide
