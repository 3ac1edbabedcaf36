#include "tests/bench/table.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

namespace ebbtide {
namespace {

std::string describe(Met met) {
  switch (met) {
    case Met::yes:
      return "yes";
    case Met::no:
      return "no";
    case Met::within_error:
      return "open";
    case Met::no_aim:
      break;
  }
  return "";
}

// The first line: what a program printed on its way out would tear the table apart.
std::string one_line(const std::string& text) { return text.substr(0, text.find('\n')); }

}  // namespace

Met at_most(double aim, double figure, double standard_error) {
  if (std::abs(figure - aim) < 2 * standard_error) return Met::within_error;
  return figure <= aim ? Met::yes : Met::no;
}

void Table::add(const std::string& heading, const Result<Rows>& rows) {
  rows_.push_back({.name = heading, .figure = {}});
  if (!rows) {
    complete_ = false;
    rows_.push_back(
        {.name = "  not measured", .figure = "-", .against = one_line(rows.error().message())});
    return;
  }
  for (Row row : *rows) {
    row.name.insert(0, "  ");
    rows_.push_back(std::move(row));
  }
}

void Table::print() const {
  const auto width = [this](std::string Row::*column, std::size_t least) {
    for (const Row& row : rows_) least = std::max(least, (row.*column).size());
    return least;
  };
  const std::size_t name = width(&Row::name, 0), figure = width(&Row::figure, 6),
                    aim = width(&Row::aim, 3);
  const auto line = [&](const Row& row, const std::string& met) {
    std::string text = fmt::format("{:<{}}  {:>{}}  {:>{}}  {:<4}  {}", row.name, name, row.figure,
                                   figure, row.aim, aim, met, row.against);
    text.erase(text.find_last_not_of(' ') + 1);
    fmt::print("{}\n", text);
  };
  line({.name = "", .figure = "figure", .aim = "aim", .against = "measured against"}, "met");
  for (const Row& row : rows_) line(row, describe(row.met));
}

}  // namespace ebbtide
