#include "driver/utf8.h"

#include <cstdint>
#include <cstring>

namespace ebbtide {
namespace {

// Nearly all text is ASCII: eight bytes at a glance.
std::size_t size_of_ascii(std::string_view text) {
  constexpr std::uint64_t above_ascii = 0x8080808080808080;
  std::size_t size = 0;
  for (std::uint64_t eight = 0; size + sizeof eight <= text.size(); size += sizeof eight) {
    std::memcpy(&eight, text.data() + size, sizeof eight);
    if ((eight & above_ascii) != 0) break;
  }
  return size;
}

}  // namespace

bool Utf8Check::take(std::string_view piece) {
  for (std::size_t at = 0; at < piece.size(); ++at) {
    if (missing_ == 0) at += size_of_ascii(piece.substr(at));
    if (at == piece.size()) break;
    const auto byte = static_cast<unsigned char>(piece[at]);
    if (missing_ == 0) {
      if (!take_first(byte)) return false;
      continue;
    }
    if (byte < least_ || byte > most_) return false;
    --missing_;
    least_ = 0x80;
    most_ = 0xbf;
  }
  return true;
}

bool Utf8Check::take_first(unsigned char byte) {
  if (byte < 0x80) return true;
  if (byte < 0xc2 || byte > 0xf4) return false;
  missing_ = byte < 0xe0 ? 1 : byte < 0xf0 ? 2 : 3;
  if (byte == 0xe0) least_ = 0xa0;
  if (byte == 0xed) most_ = 0x9f;
  if (byte == 0xf0) least_ = 0x90;
  if (byte == 0xf4) most_ = 0x8f;
  return true;
}

}  // namespace ebbtide
