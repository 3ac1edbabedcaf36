#include "analysis/report/escape.h"

#include <algorithm>
#include <cstdint>

namespace ebbtide {
namespace {

constexpr std::string_view replacement = "\uFFFD";
constexpr std::string_view escaped_with_backslash = "\\`*[]<>|#~$";

struct Character {
  std::uint32_t code = 0;
  std::size_t bytes = 1;
  bool valid = false;
};

// The character that `text` begins with; overlong forms, surrogates and cut sequences are invalid.
Character decode(std::string_view text) {
  const auto byte = [&](std::size_t i) { return static_cast<std::uint8_t>(text[i]); };
  const std::uint8_t lead = byte(0);
  if (lead < 0x80) return {lead, 1, true};
  const std::size_t length = lead >= 0xF0 ? 4 : lead >= 0xE0 ? 3 : 2;
  if (lead < 0xC2 || lead > 0xF4 || text.size() < length) return {};
  std::uint32_t code = lead & (0xFFu >> (length + 1));
  for (std::size_t i = 1; i < length; ++i) {
    if ((byte(i) & 0xC0) != 0x80) return {};
    code = code << 6 | (byte(i) & 0x3Fu);
  }
  constexpr std::uint32_t least[] = {0, 0, 0x80, 0x800, 0x10000};
  const bool surrogate = code >= 0xD800 && code <= 0xDFFF;
  return {code, length, code >= least[length] && code <= 0x10FFFF && !surrogate};
}

bool hidden(std::uint32_t code) {
  const bool control = code < 0x20 || (code >= 0x7F && code < 0xA0);
  const bool direction = (code >= 0x200B && code <= 0x200F) || (code >= 0x2028 && code <= 0x202E) ||
                         (code >= 0x2060 && code <= 0x2069) || code == 0xFEFF || code == 0x061C;
  return control || direction;
}

std::size_t longest_run(std::string_view text, char wanted) {
  std::size_t longest = 0;
  std::size_t run = 0;
  for (const char c : text) {
    run = c == wanted ? run + 1 : 0;
    longest = std::max(longest, run);
  }
  return longest;
}

bool word_character(char c) {
  return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
}

}  // namespace

std::string clean_text(std::string_view text, std::size_t most) {
  std::string clean;
  std::size_t characters = 0;
  for (std::size_t i = 0; i < text.size();) {
    const Character character = decode(text.substr(i));
    if (characters++ == most) return clean + "…";
    const bool space = text[i] == '\n' || text[i] == '\t' || text[i] == '\r';
    if (space) {
      clean += ' ';
    } else if (!character.valid || hidden(character.code)) {
      clean += replacement;
    } else {
      clean += text.substr(i, character.bytes);
    }
    i += character.valid ? character.bytes : 1;
  }
  return clean;
}

std::string prose(std::string_view text) {
  const std::string clean = clean_text(text, 1000);
  std::string escaped;
  for (std::size_t i = 0; i < clean.size(); ++i) {
    const char c = clean[i];
    const bool in_word = i > 0 && i + 1 < clean.size() && word_character(clean[i - 1]) &&
                         word_character(clean[i + 1]);
    const bool link = (c == ':' && clean.compare(i, 3, "://") == 0) ||
                      (c == '.' && i >= 3 && clean.compare(i - 3, 3, "www") == 0);
    if (c == '&') {
      escaped += "&amp;";
    } else if (c == '@') {
      escaped += "&#64;";
    } else if (link) {
      escaped += c == ':' ? "&#58;" : "&#46;";
    } else if (escaped_with_backslash.find(c) != std::string_view::npos || (c == '_' && !in_word)) {
      escaped += '\\';
      escaped += c;
    } else {
      escaped += c;
    }
  }
  return escaped;
}

std::string code_span(std::string_view text, std::size_t most) {
  const std::string clean = clean_text(text, most);
  if (clean.find_first_not_of(' ') == std::string::npos) return "(empty)";
  const std::string fence(longest_run(clean, '`') + 1, '`');
  const bool padded =
      clean.front() == '`' || clean.back() == '`' || (clean.front() == ' ' && clean.back() == ' ');
  const std::string pad = padded ? " " : "";
  return fence + pad + clean + pad + fence;
}

std::string cell_code(std::string_view text, std::size_t most) {
  std::string span = code_span(text, most);
  for (std::size_t at = 0; (at = span.find('|', at)) != std::string::npos;) {
    span.replace(at, 1, "¦");
  }
  return span;
}

std::string code_block(std::string_view text, std::string_view language) {
  const std::string fence(std::max<std::size_t>(3, longest_run(text, '`') + 1), '`');
  std::string block = fence + std::string(language) + "\n";
  while (!text.empty()) {
    const std::size_t end = std::min(text.find('\n'), text.size());
    block += clean_text(text.substr(0, end), 1000) + "\n";
    text.remove_prefix(std::min(end + 1, text.size()));
  }
  return block + fence + "\n";
}

}  // namespace ebbtide
