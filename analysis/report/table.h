// Answers: how does a table look in Markdown, read raw in a terminal as well as rendered?
#pragma once

#include <initializer_list>
#include <string>
#include <vector>

namespace ebbtide {

enum class Align : std::uint8_t { left, right };

struct MarkdownColumn {
  std::string title;
  Align align = Align::right;
};

// Cells are Markdown already: what the target controls goes through escape.h first.
class MarkdownTable {
 public:
  explicit MarkdownTable(std::vector<MarkdownColumn> columns) : columns_(std::move(columns)) {}

  void row(std::vector<std::string> cells);  // missing cells stay empty
  [[nodiscard]] bool empty() const { return rows_.empty(); }

  // Columns padded to their widest cell, a blank line after it.
  [[nodiscard]] std::string markdown() const;

  // The same, folded under `summary` when it has more rows than one takes in at a glance.
  [[nodiscard]] std::string folded(const std::string& summary) const;

 private:
  std::vector<MarkdownColumn> columns_;
  std::vector<std::vector<std::string>> rows_;
};

// GitHub renders Markdown inside <details> when blank lines surround it.
std::string details(const std::string& summary, const std::string& markdown);

}  // namespace ebbtide
