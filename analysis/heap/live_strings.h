// Answers: what does this string of the heap say? Flat, sliced, concatenated or redirected; text
// outside the heap is not there to be read.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "analysis/heap/live_objects.h"

namespace ebbtide {

class LiveStrings {
 public:
  LiveStrings(const LiveMemory& memory, const LiveLayout& layout, LiveObjects& objects)
      : memory_(memory), layout_(layout), objects_(objects) {}

  [[nodiscard]] bool is_string(std::uint64_t word) {
    return layout_.is_string(objects_.type_of_word(word));
  }
  [[nodiscard]] std::uint32_t length(std::uint64_t word) const {
    return memory_.read<std::uint32_t>(untagged(word) + 12);
  }
  // As UTF-8, at most `longest` units of it; "" for what is no string.
  [[nodiscard]] std::string text(std::uint64_t word, std::uint32_t longest);
  [[nodiscard]] bool equals(std::uint64_t word, std::string_view ascii);

  // Where each line begins, in units, by the line ends that V8 counts; a flat string's only.
  [[nodiscard]] std::vector<std::uint32_t> line_starts(std::uint64_t word);

 private:
  struct Flat {
    const std::byte* units = nullptr;
    std::uint32_t length = 0;
    bool one_byte = true;

    [[nodiscard]] std::uint32_t unit(std::uint32_t index) const;
  };
  // Leaves of the string from left to right, until `longest` units are there.
  [[nodiscard]] std::vector<Flat> leaves(std::uint64_t word, std::uint32_t longest);

  const LiveMemory& memory_;
  const LiveLayout& layout_;
  LiveObjects& objects_;
};

}  // namespace ebbtide
