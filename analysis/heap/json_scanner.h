// Answers: what is at this place of a JSON file too large to hold in memory? Reads the file in
// blocks and walks it forwards; long arrays of whole numbers go at a gigabyte a second.
#pragma once

#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <memory>
#include <string>

#include "recording/result.h"

namespace ebbtide {

// The first failure sticks: from then on every function returns false, so a caller may look at
// failed() once at the end.
class JsonScanner {
 public:
  static Result<JsonScanner> open(const std::string& path);

  [[nodiscard]] bool failed() const { return !reason_.empty(); }
  [[nodiscard]] Error error() const;
  [[nodiscard]] std::uint64_t file_bytes() const { return file_bytes_; }

  // `reason` is about the place `at`, a byte of the file.
  bool fail(std::string reason, std::uint64_t at);
  bool fail(std::string reason) { return fail(std::move(reason), offset()); }

  // Of the next byte; the next that is no white space once something was read.
  [[nodiscard]] std::uint64_t offset() const {
    return block_offset_ + static_cast<std::uint64_t>(at_ - block_.get());
  }
  bool seek(std::uint64_t offset);

  // One of the characters that give JSON its shape; an error if another is next.
  bool expect(char shape);
  // The same, but a different one is no error and stays.
  bool take(char shape);
  bool expect_end();

  // Unescaped into `text` (null: passed over). What is no UTF-8 stays as it is; half of a
  // surrogate pair becomes U+FFFD.
  bool read_string(std::string* text);
  // As it is in the file, at most `limit` bytes.
  bool read_raw_value(std::string& text, std::size_t limit);
  bool skip_value();

  // An array of whole numbers in records of `width`:
  //   for (scanner.begin_records(); scanner.next_record(numbers, width);) …
  bool begin_records();
  bool next_record(std::uint64_t* numbers, unsigned width);

 private:
  explicit JsonScanner(std::string path) : path_(std::move(path)) {}

  static constexpr std::size_t block_bytes = 1 << 18;
  static constexpr std::ptrdiff_t most_digits = 19;  // that fit 64 bits whatever they are
  static constexpr std::ptrdiff_t number_room = 24;  // with what may stand behind them

  bool fill();  // keeps what is unread; false at the file's end
  void fill_for(unsigned width);
  bool skip_space();
  bool separate(unsigned numbers_left);
  bool take_escape(std::string* text);
  bool read_hex(std::uint32_t& unit);
  bool unexpected(const char* wanted);
  bool skip_brackets();

  struct CloseFile {
    void operator()(std::FILE* file) const { std::fclose(file); }
  };

  std::string path_;
  std::unique_ptr<std::FILE, CloseFile> file_;
  std::uint64_t file_bytes_ = 0;
  std::unique_ptr<char[]> block_;  // ends with a 0 byte, which stops every loop
  char* at_ = nullptr;
  char* end_ = nullptr;
  std::uint64_t block_offset_ = 0;
  bool in_records_ = false;
  std::string reason_;
  std::uint64_t reason_at_ = 0;
};

inline bool JsonScanner::next_record(std::uint64_t* numbers, unsigned width) {
  if (end_ - at_ < static_cast<std::ptrdiff_t>(width) * number_room) [[unlikely]]
    fill_for(width);
  if (!in_records_) return false;
  const char* at = at_;
  for (unsigned index = 0; index < width; ++index) {
    const char* const first = at;
    std::uint64_t value = 0;
    for (unsigned figure; (figure = static_cast<unsigned char>(*at) - '0') <= 9U; ++at)
      value = value * 10 + figure;
    numbers[index] = value;
    const bool is_number = at != first && at - first <= most_digits;
    if (is_number && at[0] == ',' && at[1] > ' ') [[likely]] {
      ++at;
    } else if (is_number && at[0] == '\n' && at[1] == ',' && at[2] > ' ') {
      at += 2;
    } else {
      at_ += (is_number ? at : first) - at_;
      if (!is_number) return unexpected("a whole number");
      if (!separate(width - index - 1)) return false;
      at = at_;
    }
  }
  at_ += at - at_;
  return true;
}

}  // namespace ebbtide
