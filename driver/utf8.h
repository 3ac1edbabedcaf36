// Answers: is text that comes in pieces valid UTF-8? Unicode 15, table 3-7: no surrogates, nothing
// longer than it must be, nothing above U+10FFFF.
#pragma once

#include <string_view>

namespace ebbtide {

class Utf8Check {
 public:
  // False: whatever follows, the text is not valid. Nothing can be taken after that.
  bool take(std::string_view piece);

  // No character waits for its other bytes.
  [[nodiscard]] bool is_whole() const { return missing_ == 0; }

 private:
  bool take_first(unsigned char byte);

  int missing_ = 0;  // bytes of the last character
  unsigned char least_ = 0x80;
  unsigned char most_ = 0xbf;  // what its next byte may be
};

}  // namespace ebbtide
