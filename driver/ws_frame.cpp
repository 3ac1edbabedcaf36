#include "driver/ws_frame.h"

#include <algorithm>
#include <array>
#include <boost/beast/websocket/error.hpp>
#include <cstring>

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

FramePart FrameReader::take(std::string_view& bytes, error_code& error) {
  if (!in_frame_ && !take_header(bytes, error)) return {};
  if (is_control()) return take_control(bytes);
  if (bytes.empty() && left_ > 0) return {};
  const auto size = static_cast<std::size_t>(std::min<std::uint64_t>(left_, bytes.size()));
  FramePart part{FramePart::Kind::message, bytes.substr(0, size), false, compressed_};
  bytes.remove_prefix(size);
  left_ -= size;
  in_frame_ = left_ > 0;
  if (!in_frame_ && is_final()) {
    part.ends_message = true;
    in_message_ = false;
  }
  return part;
}

// False: it is not whole, or wrong.
bool FrameReader::take_header(std::string_view& bytes, error_code& error) {
  for (;;) {
    const std::size_t wanted = header_bytes_ < 2 ? 2 : size_of_header(header_);
    if (header_bytes_ == wanted) break;
    if (bytes.empty()) return false;
    header_[header_bytes_++] = static_cast<unsigned char>(bytes.front());
    bytes.remove_prefix(1);
  }
  left_ = header_[1] & 0x7f;
  if (header_bytes_ > 2) {
    left_ = 0;
    for (std::size_t i = 2; i < header_bytes_; ++i) left_ = left_ << 8 | header_[i];
  }
  error = check_header();
  header_bytes_ = 0;
  in_frame_ = !error;
  return in_frame_;
}

error_code FrameReader::check_header() {
  const bool is_first = opcode() == Opcode::text || opcode() == Opcode::binary;
  if (!is_first && opcode() != Opcode::continuation &&
      (opcode() < Opcode::close || opcode() > Opcode::pong)) {
    return websocket::error::bad_opcode;
  }
  const bool compressed = (header_[0] & rsv1) != 0;
  if ((header_[0] & 0x30) != 0 || (compressed && !(may_compress_ && is_first))) {
    return websocket::error::bad_reserved_bits;
  }
  if ((header_[1] & masked) != 0) return websocket::error::bad_masked_frame;
  if (is_control()) {
    if (!is_final()) return websocket::error::bad_control_fragment;
    return left_ > most_in_control ? websocket::error::bad_control_size : error_code();
  }
  if (is_first == in_message_) {
    return is_first ? websocket::error::bad_data_frame : websocket::error::bad_continuation;
  }
  if (is_first) {
    in_message_ = true;
    compressed_ = compressed;
    message_bytes_ = 0;
  }
  if (left_ > limit_ - message_bytes_) return websocket::error::message_too_big;
  message_bytes_ += left_;
  return {};
}

FramePart FrameReader::take_control(std::string_view& bytes) {
  const auto size = static_cast<std::size_t>(std::min<std::uint64_t>(left_, bytes.size()));
  if (!in_control_) control_.clear();
  in_control_ = true;
  control_.append(bytes.substr(0, size));
  bytes.remove_prefix(size);
  left_ -= size;
  if (left_ > 0) return {};
  in_frame_ = in_control_ = false;
  switch (opcode()) {
    case Opcode::ping:
      return {FramePart::Kind::ping, control_};
    case Opcode::pong:
      return {FramePart::Kind::pong, control_};
    default:
      return {FramePart::Kind::close, control_};
  }
}

}  // namespace ebbtide
