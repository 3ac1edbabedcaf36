#include "analysis/heap/json_scanner.h"

#include <fmt/format.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <vector>

namespace ebbtide {
namespace {

constexpr std::uint32_t replacement_character = 0xfffd;

bool is_space(char c) { return c == ' ' || c == '\n' || c == '\r' || c == '\t'; }

// Of a number, true, false or null.
bool is_of_word(char c) {
  return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || c == 'E' || c == '+' || c == '-' ||
         c == '.';
}

void append_utf8(std::string& text, std::uint32_t point) {
  const auto put = [&](std::uint32_t byte) { text.push_back(static_cast<char>(byte)); };
  if (point < 0x80) {
    put(point);
  } else if (point < 0x800) {
    put(0xc0 | point >> 6);
    put(0x80 | (point & 0x3f));
  } else if (point < 0x10000) {
    put(0xe0 | point >> 12);
    put(0x80 | (point >> 6 & 0x3f));
    put(0x80 | (point & 0x3f));
  } else {
    put(0xf0 | point >> 18);
    put(0x80 | (point >> 12 & 0x3f));
    put(0x80 | (point >> 6 & 0x3f));
    put(0x80 | (point & 0x3f));
  }
}

// What a backslash and this letter stand for; 0 for none (and for 'u', which takes more to say).
char escaped(char letter) {
  switch (letter) {
    case '"':
    case '\\':
    case '/':
      return letter;
    case 'b':
      return '\b';
    case 'f':
      return '\f';
    case 'n':
      return '\n';
    case 'r':
      return '\r';
    case 't':
      return '\t';
    default:
      return '\0';
  }
}

}  // namespace

Result<JsonScanner> JsonScanner::open(const std::string& path) {
  JsonScanner scanner(path);
  scanner.file_.reset(std::fopen(path.c_str(), "rb"));
  if (!scanner.file_) return Error{"open", path, std::strerror(errno), ""};
  std::FILE* file = scanner.file_.get();
  std::setvbuf(file, nullptr, _IONBF, 0);
  if (::fseeko(file, 0, SEEK_END) != 0) return Error{"read", path, std::strerror(errno), ""};
  scanner.file_bytes_ = static_cast<std::uint64_t>(::ftello(file));
  ::rewind(file);
  scanner.block_ = std::make_unique<char[]>(block_bytes + 1);
  scanner.at_ = scanner.end_ = scanner.block_.get();
  return scanner;
}

Error JsonScanner::error() const {
  return {"read heap snapshot", path_, fmt::format("at byte {}: {}", reason_at_, reason_), ""};
}

bool JsonScanner::fail(std::string reason, std::uint64_t at) {
  if (failed()) return false;
  reason_ = std::move(reason);
  reason_at_ = at;
  in_records_ = false;
  return false;
}

bool JsonScanner::seek(std::uint64_t offset) {
  if (failed()) return false;
  if (::fseeko(file_.get(), static_cast<off_t>(offset), SEEK_SET) != 0)
    return fail(std::strerror(errno), offset);
  block_offset_ = offset;
  at_ = end_ = block_.get();
  *end_ = '\0';
  return true;
}

bool JsonScanner::fill() {
  const auto kept = static_cast<std::size_t>(end_ - at_);
  block_offset_ = offset();
  std::memmove(block_.get(), at_, kept);
  at_ = block_.get();
  const std::size_t read = std::fread(at_ + kept, 1, block_bytes - kept, file_.get());
  end_ = at_ + kept + read;
  *end_ = '\0';
  if (read == 0 && std::ferror(file_.get()) != 0) fail(std::strerror(errno), block_offset_ + kept);
  return read > 0;
}

void JsonScanner::fill_for(unsigned width) {
  while (end_ - at_ < static_cast<std::ptrdiff_t>(width) * number_room && fill()) continue;
}

bool JsonScanner::skip_space() {
  if (failed()) return false;
  for (;;) {
    while (is_space(*at_)) ++at_;
    if (at_ < end_) return true;
    if (!fill()) return false;
  }
}

bool JsonScanner::unexpected(const char* wanted) {
  if (at_ >= end_) return fail(fmt::format("the file ends where {} should be", wanted));
  return fail(fmt::format("{} should be here", wanted));
}

bool JsonScanner::take(char shape) {
  if (!skip_space() || *at_ != shape) return false;
  ++at_;
  return true;
}

bool JsonScanner::expect(char shape) {
  return take(shape) || unexpected(fmt::format("'{}'", shape).c_str());
}

bool JsonScanner::expect_end() {
  if (skip_space()) return fail("something follows the end of the snapshot");
  return !failed();
}

bool JsonScanner::read_string(std::string* text) {
  if (text != nullptr) text->clear();
  if (!skip_space() || *at_ != '"') return unexpected("a string");
  ++at_;
  for (;;) {
    char* stop = at_;
    while (*stop != '"' && *stop != '\\' && *stop != '\0') ++stop;
    if (text != nullptr) text->append(at_, stop);
    at_ = stop;
    if (at_ == end_) {
      if (!fill()) return unexpected("the end of a string");
    } else if (*at_ == '"') {
      ++at_;
      return true;
    } else if (*at_ == '\\') {
      if (!take_escape(text)) return false;
    } else {
      if (text != nullptr) text->push_back('\0');
      ++at_;
    }
  }
}

// At the backslash. Two of "\uXXXX" in a row may be one character.
bool JsonScanner::take_escape(std::string* text) {
  constexpr std::ptrdiff_t longest = 12;
  while (end_ - at_ < longest && fill()) continue;
  if (const char plain = escaped(at_[1]); plain != '\0') {
    if (text != nullptr) text->push_back(plain);
    at_ += 2;
    return true;
  }
  std::uint32_t point = 0;
  if (!read_hex(point)) return false;
  if (point >= 0xd800 && point < 0xdc00 && at_[0] == '\\' && at_[1] == 'u') {
    char* const second = at_;
    std::uint32_t low = 0;
    if (!read_hex(low)) return false;
    if (low >= 0xdc00 && low < 0xe000)
      point = 0x10000 + ((point - 0xd800) << 10) + (low - 0xdc00);
    else
      at_ = second;
  }
  if (point >= 0xd800 && point < 0xe000) point = replacement_character;
  if (text != nullptr) append_utf8(*text, point);
  return true;
}

bool JsonScanner::read_hex(std::uint32_t& unit) {
  constexpr std::ptrdiff_t length = 6;
  if (end_ - at_ < length) {
    at_ = end_;
    return unexpected("the end of an escape");
  }
  if (at_[1] != 'u') return fail("no escape that JSON knows");
  unit = 0;
  for (int place = 2; place < length; ++place) {
    const char c = at_[place];
    const int lower = c | 0x20;
    if (c >= '0' && c <= '9')
      unit = unit << 4 | static_cast<std::uint32_t>(c - '0');
    else if (lower >= 'a' && lower <= 'f')
      unit = unit << 4 | static_cast<std::uint32_t>(lower - 'a' + 10);
    else
      return fail("no escape that JSON knows");
  }
  at_ += length;
  return true;
}

bool JsonScanner::read_raw_value(std::string& text, std::size_t limit) {
  skip_space();
  const std::uint64_t start = offset();
  if (!skip_value()) return false;
  const std::uint64_t bytes = offset() - start;
  if (bytes > limit) return fail("this is too long to be what it should be", start);
  text.clear();
  seek(start);
  while (text.size() < bytes) {
    if (at_ == end_ && !fill()) return unexpected("the end of a value");
    const auto there = static_cast<std::uint64_t>(end_ - at_);
    const std::uint64_t part = std::min(bytes - text.size(), there);
    text.append(at_, part);
    at_ += part;
  }
  return true;
}

bool JsonScanner::skip_value() {
  if (!skip_space()) return unexpected("a value");
  if (*at_ == '"') return read_string(nullptr);
  if (*at_ == '[' || *at_ == '{') return skip_brackets();
  const std::uint64_t start = offset();
  for (;;) {
    while (is_of_word(*at_)) ++at_;
    if (at_ < end_ || !fill()) break;
  }
  return offset() > start || unexpected("a value");
}

bool JsonScanner::skip_brackets() {
  std::vector<char> closers;
  for (;;) {
    while (*at_ != '"' && *at_ != '[' && *at_ != ']' && *at_ != '{' && *at_ != '}' && *at_ != '\0')
      ++at_;
    if (*at_ == '"') {
      if (!read_string(nullptr)) return false;
      continue;
    }
    if (at_ == end_) {
      if (!fill()) return unexpected("a closing bracket");
      continue;
    }
    const char shape = *at_;
    if (shape == '[') closers.push_back(']');
    if (shape == '{') closers.push_back('}');
    if (shape == ']' || shape == '}') {
      if (closers.back() != shape) return unexpected("another closing bracket");
      closers.pop_back();
    }
    ++at_;
    if (closers.empty()) return true;
  }
}

bool JsonScanner::begin_records() {
  if (!expect('[') || !skip_space()) return unexpected("']'");
  in_records_ = *at_ != ']';
  if (!in_records_) ++at_;
  return true;
}

// Behind a number, anything but a comma with the next number right after it.
bool JsonScanner::separate(unsigned numbers_left) {
  if (!skip_space()) return unexpected("']'");
  if (*at_ == ']') {
    if (numbers_left > 0) return fail("the array ends in the middle of a record");
    ++at_;
    in_records_ = false;
    return true;
  }
  if (!expect(',') || !skip_space()) return unexpected("a whole number");
  fill_for(numbers_left + 1);
  return true;
}

}  // namespace ebbtide
