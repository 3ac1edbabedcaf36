#include "analysis/review/source_lines.h"

#include <algorithm>

namespace ebbtide {
namespace {

constexpr std::uint32_t checkpoint_bytes = 1024;

// What the first byte of a character stands for; the bytes that follow it stand for nothing.
std::uint32_t units_of(char c) {
  const auto byte = static_cast<unsigned char>(c);
  if ((byte & 0xC0U) == 0x80U) return 0;
  return byte >= 0xF0U ? 2 : 1;  // from U+10000 on, a pair of surrogates
}

std::uint32_t units_in(std::string_view text) {
  std::uint32_t units = 0;
  for (const char c : text) units += units_of(c);
  return units;
}

}  // namespace

SourceLines::SourceLines(std::string_view text) : text_(text), starts_{0} {
  constexpr std::string_view byte_order_mark = "\xEF\xBB\xBF";
  // Node takes the mark away before it compiles: with one unit less the rest is in its place.
  std::uint32_t units = text.starts_with(byte_order_mark) ? 0xFFFFFFFF : 0;
  for (std::uint32_t i = 0; i < text.size(); i++) {
    if (i % checkpoint_bytes == 0) checkpoints_.push_back(units);
    units += units_of(text[i]);
    if (text[i] == '\n') starts_.push_back(i + 1);
  }
  if (text.size() % checkpoint_bytes == 0) checkpoints_.push_back(units);
}

std::uint32_t SourceLines::units_before(std::uint32_t byte) const {
  const std::uint32_t checkpoint = byte / checkpoint_bytes;
  const std::uint32_t from = checkpoint * checkpoint_bytes;
  return checkpoints_[checkpoint] + units_in(text_.substr(from, byte - from));
}

std::uint32_t SourceLines::line(std::uint32_t byte) const {
  const auto after = std::upper_bound(starts_.begin(), starts_.end(), byte);
  return static_cast<std::uint32_t>(after - starts_.begin());
}

SourceLines::Position SourceLines::position(std::uint32_t byte) const {
  const std::uint32_t at = line(byte);
  const std::uint32_t start = starts_[at - 1];
  const std::uint32_t before = start == 0 ? 0 : units_before(start);
  return {at, units_before(byte) - before + 1};
}

}  // namespace ebbtide
