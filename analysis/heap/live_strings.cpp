#include "analysis/heap/live_strings.h"

#include <algorithm>
#include <cstring>

namespace ebbtide {
namespace {

constexpr InstanceType representation_mask = 7;
constexpr InstanceType one_byte_bit = 8;
constexpr std::size_t most_parts = 100'000;  // of a concatenation: ends cycles

void append_utf8(std::string& text, std::uint32_t point) {
  const auto put = [&](std::uint32_t byte) { text += static_cast<char>(byte); };
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

bool is_surrogate(std::uint32_t unit) { return unit >= 0xd800 && unit < 0xe000; }

}  // namespace

std::uint32_t LiveStrings::Flat::unit(std::uint32_t index) const {
  if (one_byte) return std::to_integer<std::uint32_t>(units[index]);
  std::uint16_t wide = 0;
  std::memcpy(&wide, units + std::size_t{index} * 2, sizeof wide);
  return wide;
}

std::vector<LiveStrings::Flat> LiveStrings::leaves(std::uint64_t word, std::uint32_t longest) {
  struct Part {
    std::uint64_t word;
    std::uint32_t skip;
    std::uint32_t take;
  };
  std::vector<Flat> flat;
  std::vector<Part> open{{word, 0, longest}};
  std::uint64_t wanted = longest;
  for (std::size_t parts = 0; !open.empty() && wanted > 0 && parts < most_parts; ++parts) {
    Part part = open.back();
    open.pop_back();
    const auto type = objects_.type_of_word(part.word);
    if (!layout_.is_string(type)) continue;
    const auto address = untagged(part.word);
    const auto whole = length(part.word);
    if (part.skip >= whole) continue;
    const auto take = std::min(part.take, whole - part.skip);
    switch (type & representation_mask) {
      case 0: {  // flat
        const bool one_byte = (type & one_byte_bit) != 0;
        const std::uint64_t width = one_byte ? 1 : 2;
        const auto* units = memory_.at(address + 16, whole * width);
        if (units == nullptr) break;
        const auto count = static_cast<std::uint32_t>(std::min<std::uint64_t>(take, wanted));
        flat.push_back({units + part.skip * width, count, one_byte});
        wanted -= count;
        break;
      }
      case 1: {  // concatenated
        const auto left = memory_.word(address + 16);
        const auto left_length = is_reference(left) ? length(left) : 0;
        if (part.skip + std::uint64_t{take} > left_length) {
          const auto skip = part.skip > left_length ? part.skip - left_length : 0;
          open.push_back({memory_.word(address + 24), skip, take});
        }
        if (part.skip < left_length) open.push_back({left, part.skip, take});
        break;
      }
      case 3: {  // a slice of another
        const auto offset = memory_.word(address + 24);
        if (!is_smi(offset) || smi_value(offset) < 0) break;
        const auto skip = static_cast<std::uint64_t>(smi_value(offset)) + part.skip;
        if (skip <= 0xffffffff) {
          open.push_back({memory_.word(address + 16), static_cast<std::uint32_t>(skip), take});
        }
        break;
      }
      case 5:  // moved into the table of internalized strings
        open.push_back({memory_.word(address + 16), part.skip, take});
        break;
      default:  // outside the heap
        break;
    }
  }
  return flat;
}

std::string LiveStrings::text(std::uint64_t word, std::uint32_t longest) {
  std::string text;
  for (const Flat& flat : leaves(word, longest)) {
    for (std::uint32_t i = 0; i < flat.length; ++i) {
      auto point = flat.unit(i);
      if (is_surrogate(point)) {
        const auto low = i + 1 < flat.length ? flat.unit(i + 1) : 0;
        const bool pair = point < 0xdc00 && low >= 0xdc00 && low < 0xe000;
        if (pair) ++i;
        point = pair ? 0x10000 + ((point - 0xd800) << 10) + (low - 0xdc00) : 0xfffd;
      }
      append_utf8(text, point);
    }
  }
  return text;
}

bool LiveStrings::equals(std::uint64_t word, std::string_view ascii) {
  return is_string(word) && length(word) == ascii.size() &&
         text(word, static_cast<std::uint32_t>(ascii.size())) == ascii;
}

std::vector<std::uint32_t> LiveStrings::line_starts(std::uint64_t word) {
  std::vector<std::uint32_t> starts{0};
  const auto flat = is_string(word) ? leaves(word, length(word)) : std::vector<Flat>{};
  std::uint32_t offset = 0;
  bool after_return = false;
  for (const Flat& part : flat) {
    for (std::uint32_t i = 0; i < part.length; ++i, ++offset) {
      const auto unit = part.unit(i);
      const bool second_of_pair = after_return && unit == '\n';
      after_return = unit == '\r';
      if (second_of_pair) {
        starts.back() = offset + 1;
      } else if (unit == '\n' || unit == '\r' || unit == 0x2028 || unit == 0x2029) {
        starts.push_back(offset + 1);
      }
    }
  }
  return starts;
}

}  // namespace ebbtide
