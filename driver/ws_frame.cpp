#include "driver/ws_frame.h"

#include <algorithm>
#include <array>
#include <boost/beast/websocket/error.hpp>
#include <cstring>

#include "driver/utf8.h"

namespace ebbtide {

namespace websocket = boost::beast::websocket;
using boost::system::error_code;

namespace {

constexpr unsigned char fin = 0x80;
constexpr unsigned char rsv1 = 0x40;
constexpr unsigned char masked = 0x80;
constexpr std::uint64_t most_in_control = 125;

void append_size(std::string& frame, std::uint64_t size) {
  const auto append = [&](std::uint64_t byte) { frame += static_cast<char>(byte); };
  if (size <= most_in_control) return append(masked | size);
  const int bytes = size <= 0xffff ? 2 : 8;
  append(masked | (bytes == 2 ? 126U : 127U));
  for (int i = bytes - 1; i >= 0; --i) append(size >> (8 * i) & 0xff);
}

std::size_t size_of_header(const unsigned char* header) {
  const int length = header[1] & 0x7f;
  return length == 127 ? 10 : length == 126 ? 4 : 2;
}

// In the fewest bytes that hold it, as section 5.2 wants it.
bool is_canonical(std::uint64_t size, std::size_t header_bytes) {
  if (header_bytes == 2) return true;
  return header_bytes == 4 ? size > most_in_control : size > 0xffff && size >> 63 == 0;
}

// Section 7.4, and what IANA has registered since.
bool is_close_code(unsigned code) {
  const bool is_reserved = code == 1004 || code == 1005 || code == 1006;
  return (code >= 1000 && code <= 1014 && !is_reserved) || (code >= 3000 && code < 5000);
}

error_code check_close(std::string_view payload) {
  if (payload.empty()) return {};
  const std::optional<std::uint16_t> code = close_code_of(payload);
  if (!code) return websocket::error::bad_close_size;
  if (!is_close_code(*code)) return websocket::error::bad_close_code;
  Utf8Check reason;
  const bool is_valid = reason.take(payload.substr(2)) && reason.is_whole();
  return is_valid ? error_code() : websocket::error::bad_close_payload;
}

}  // namespace

std::string masked_frame(Opcode opcode, std::string_view payload, std::uint32_t mask,
                         bool compressed) {
  std::string frame;
  frame.reserve(14 + payload.size());
  frame += static_cast<char>(fin | (compressed ? rsv1 : 0) | static_cast<unsigned char>(opcode));
  append_size(frame, payload.size());
  std::array<char, 4> key{};
  std::memcpy(key.data(), &mask, key.size());
  frame.append(key.data(), key.size());
  for (std::size_t i = 0; i < payload.size(); ++i) {
    frame += static_cast<char>(payload[i] ^ key[i % 4]);
  }
  return frame;
}

std::string close_payload(std::uint16_t code) {
  return {static_cast<char>(code >> 8), static_cast<char>(code & 0xff)};
}

std::optional<std::uint16_t> close_code_of(std::string_view payload) {
  if (payload.size() < 2) return std::nullopt;
  const auto byte = [&](std::size_t at) { return static_cast<unsigned char>(payload[at]); };
  return static_cast<std::uint16_t>(byte(0) << 8 | byte(1));
}

FramePart FrameReader::take(std::string_view& bytes, error_code& error) {
  if (!in_frame_ && !take_header(bytes, error)) return {};
  if (is_control()) return take_control(bytes, error);
  if (bytes.empty() && left_ > 0) return {};
  const auto size = static_cast<std::size_t>(std::min<std::uint64_t>(left_, bytes.size()));
  FramePart part{FramePart::Kind::message, bytes.substr(0, size), false, compressed_, is_text_};
  bytes.remove_prefix(size);
  left_ -= size;
  in_frame_ = left_ > 0;
  if (!in_frame_ && is_final()) {
    part.ends_message = true;
    in_message_ = false;
  }
  return part;
}

// False: it is not whole, or wrong, which its first two bytes may say alone.
bool FrameReader::take_header(std::string_view& bytes, error_code& error) {
  std::size_t wanted = header_bytes_ < 2 ? 2 : size_of_header(header_);
  while (header_bytes_ < wanted) {
    if (bytes.empty()) return false;
    header_[header_bytes_++] = static_cast<unsigned char>(bytes.front());
    bytes.remove_prefix(1);
    if (header_bytes_ != 2) continue;
    error = check_kind();
    if (error) return false;
    wanted = size_of_header(header_);
  }
  left_ = header_[1] & 0x7f;
  if (header_bytes_ > 2) {
    left_ = 0;
    for (std::size_t i = 2; i < header_bytes_; ++i) left_ = left_ << 8 | header_[i];
  }
  error = check_size();
  header_bytes_ = 0;
  in_frame_ = !error;
  return in_frame_;
}

error_code FrameReader::check_kind() const {
  if (!is_first() && opcode() != Opcode::continuation &&
      (opcode() < Opcode::close || opcode() > Opcode::pong)) {
    return websocket::error::bad_opcode;
  }
  if ((header_[0] & 0x30) != 0 || (is_compressed() && !(may_compress_ && is_first()))) {
    return websocket::error::bad_reserved_bits;
  }
  if ((header_[1] & masked) != 0) return websocket::error::bad_masked_frame;
  if (is_control()) {
    if (!is_final()) return websocket::error::bad_control_fragment;
    const bool is_long = (header_[1] & 0x7f) > most_in_control;
    return is_long ? websocket::error::bad_control_size : error_code();
  }
  if (is_first() != in_message_) return {};
  return is_first() ? websocket::error::bad_data_frame : websocket::error::bad_continuation;
}

error_code FrameReader::check_size() {
  if (!is_canonical(left_, header_bytes_)) return websocket::error::bad_size;
  if (is_control()) return {};
  if (is_first()) {
    in_message_ = true;
    compressed_ = is_compressed();
    is_text_ = opcode() == Opcode::text;
    message_bytes_ = 0;
  }
  if (left_ > limit_ - message_bytes_) return websocket::error::message_too_big;
  message_bytes_ += left_;
  return {};
}

FramePart FrameReader::take_control(std::string_view& bytes, error_code& error) {
  const auto size = static_cast<std::size_t>(std::min<std::uint64_t>(left_, bytes.size()));
  if (!in_control_) control_.clear();
  in_control_ = true;
  control_.append(bytes.substr(0, size));
  bytes.remove_prefix(size);
  left_ -= size;
  if (left_ > 0) return {};
  in_frame_ = in_control_ = false;
  if (opcode() == Opcode::ping) return {FramePart::Kind::ping, control_};
  if (opcode() == Opcode::pong) return {FramePart::Kind::pong, control_};
  error = check_close(control_);
  if (error) return {};
  return {FramePart::Kind::close, control_};
}

}  // namespace ebbtide
