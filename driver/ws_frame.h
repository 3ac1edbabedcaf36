// Answers: what do bytes of a WebSocket mean to a client, and how does it write its own? RFC 6455,
// section 5; nothing here reads or writes a socket.
#pragma once

#include <boost/system/error_code.hpp>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace ebbtide {

enum class Opcode : std::uint8_t {
  continuation = 0,
  text = 1,
  binary = 2,
  close = 8,
  ping = 9,
  pong = 10
};

// A whole frame, masked by `mask` as a client's must be. `compressed` sets RSV1 (RFC 7692).
std::string masked_frame(Opcode opcode, std::string_view payload, std::uint32_t mask,
                         bool compressed = false);

// The payload of a close frame, and the code in one.
std::string close_payload(std::uint16_t code);
std::optional<std::uint16_t> close_code_of(std::string_view payload);

// A part of a message, a control frame as a whole, or nothing when the bytes have run out.
struct FramePart {
  enum class Kind : std::uint8_t { nothing, message, ping, pong, close } kind = Kind::nothing;
  std::string_view payload = {};  // until the next call
  bool ends_message = false;
  bool compressed = false;  // the message it belongs to
  bool is_text = false;     // so is that
};

// Follows a server's frames over reads that end anywhere. Errors are Beast's, whose words reports
// use.
class FrameReader {
 public:
  // A message that announces more bytes than this fails.
  explicit FrameReader(std::uint64_t limit) : limit_(limit) {}
  // permessage-deflate was agreed on.
  void allow_compression() { may_compress_ = true; }

  // Takes the next part off the front of `bytes`. Nothing can be taken after an error.
  FramePart take(std::string_view& bytes, boost::system::error_code& error);

 private:
  bool take_header(std::string_view& bytes, boost::system::error_code& error);
  [[nodiscard]] boost::system::error_code check_kind() const;
  boost::system::error_code check_size();
  FramePart take_control(std::string_view& bytes, boost::system::error_code& error);

  [[nodiscard]] Opcode opcode() const { return static_cast<Opcode>(header_[0] & 0x0f); }
  [[nodiscard]] bool is_first() const {
    return opcode() == Opcode::text || opcode() == Opcode::binary;
  }
  [[nodiscard]] bool is_compressed() const { return (header_[0] & 0x40) != 0; }
  [[nodiscard]] bool is_control() const { return (header_[0] & 0x08) != 0; }
  [[nodiscard]] bool is_final() const { return (header_[0] & 0x80) != 0; }

  std::uint64_t limit_;
  std::uint64_t left_ = 0;           // of the frame's payload
  std::uint64_t message_bytes_ = 0;  // announced so far
  std::string control_;              // payload of a control frame
  unsigned char header_[10] = {};
  std::uint8_t header_bytes_ = 0;  // that have come
  bool in_frame_ = false;          // the header is whole
  bool in_control_ = false;        // some of a control frame's payload has come
  bool in_message_ = false;
  bool compressed_ = false;  // the message is
  bool is_text_ = false;     // so is the message
  bool may_compress_ = false;
};

}  // namespace ebbtide
