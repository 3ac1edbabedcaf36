#include "analysis/report/table.h"

#include <algorithm>

namespace ebbtide {
namespace {

constexpr std::size_t rows_at_a_glance = 25;

// Characters, not bytes: every byte but UTF-8's continuation bytes begins one.
std::size_t width(const std::string& text) {
  return static_cast<std::size_t>(
      std::ranges::count_if(text, [](char c) { return (c & 0xC0) != 0x80; }));
}

std::string padded(const std::string& cell, std::size_t to, Align align) {
  const std::string space(to - std::min(to, width(cell)), ' ');
  return align == Align::left ? cell + space : space + cell;
}

}  // namespace

void MarkdownTable::row(std::vector<std::string> cells) {
  cells.resize(columns_.size());
  rows_.push_back(std::move(cells));
}

std::string MarkdownTable::markdown() const {
  std::vector<std::size_t> widths;
  for (std::size_t i = 0; i < columns_.size(); ++i) {
    std::size_t widest = std::max<std::size_t>(3, width(columns_[i].title));
    for (const auto& cells : rows_) widest = std::max(widest, width(cells[i]));
    widths.push_back(widest);
  }
  std::string head = "|";
  std::string rule = "|";
  for (std::size_t i = 0; i < columns_.size(); ++i) {
    const bool right = columns_[i].align == Align::right;
    head += " " + padded(columns_[i].title, widths[i], columns_[i].align) + " |";
    rule += " " + std::string(widths[i] - (right ? 1 : 0), '-') + (right ? ":" : "") + " |";
  }
  std::string text = head + "\n" + rule + "\n";
  for (const auto& cells : rows_) {
    text += "|";
    for (std::size_t i = 0; i < cells.size(); ++i) {
      text += " " + padded(cells[i], widths[i], columns_[i].align) + " |";
    }
    text += "\n";
  }
  return text + "\n";
}

std::string MarkdownTable::folded(const std::string& summary) const {
  return rows_.size() > rows_at_a_glance ? details(summary, markdown()) : markdown();
}

std::string details(const std::string& summary, const std::string& markdown) {
  return "<details><summary>" + summary + "</summary>\n\n" + markdown + "</details>\n\n";
}

}  // namespace ebbtide
