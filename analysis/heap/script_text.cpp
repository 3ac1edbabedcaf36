#include "analysis/heap/script_text.h"

#include <algorithm>

namespace ebbtide {
namespace {

std::size_t after_space(std::string_view text, std::size_t at) {
  while (at < text.size() && is_space(text[at])) ++at;
  return at;
}

}  // namespace

bool is_space(char byte) { return byte == ' ' || byte == '\t' || byte == '\r' || byte == '\n'; }

bool is_word_byte(char byte) {
  return (byte >= 'a' && byte <= 'z') || (byte >= 'A' && byte <= 'Z') ||
         (byte >= '0' && byte <= '9') || byte == '_' || byte == '$' ||
         static_cast<unsigned char>(byte) >= 0x80;
}

std::size_t end_of_string(std::string_view text, std::size_t at) {
  const char quote = text[at++];
  while (at < text.size() && text[at] != quote && text[at] != '\n') {
    at += text[at] == '\\' ? 2 : 1;
  }
  if (at < text.size() && text[at] == quote) ++at;
  return std::min(at, text.size());
}

std::size_t end_of_comment(std::string_view text, std::size_t at) {
  const auto end = text.find("*/", at + 2);
  return end == std::string_view::npos ? text.size() : end + 2;
}

std::optional<std::size_t> end_of_regular_expression(std::string_view text, std::size_t at) {
  bool in_class = false;
  for (std::size_t i = at + 1; i < text.size() && text[i] != '\n'; ++i) {
    if (text[i] == '\\') {
      ++i;
    } else if (text[i] == '[') {
      in_class = true;
    } else if (text[i] == ']') {
      in_class = false;
    } else if (text[i] == '/' && !in_class) {
      return i + 1;
    }
  }
  return std::nullopt;
}

char mark_after(std::string_view text, std::size_t at) {
  at = after_space(text, at);
  return at < text.size() ? text[at] : '\0';
}

bool is_assigned_after(std::string_view text, std::size_t at) {
  at = after_space(text, at);
  return at + 1 < text.size() && text[at] == '=' && text[at + 1] != '=' && text[at + 1] != '>';
}

}  // namespace ebbtide
