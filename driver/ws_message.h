// Answers: which messages come in a server's frames, decompressed and checked? RFC 6455, 5.4 and
// 8.1; nothing here reads or writes a socket.
#pragma once

#include <boost/system/error_code.hpp>
#include <cstdint>
#include <functional>
#include <string_view>

#include "driver/utf8.h"
#include "driver/ws_deflate.h"
#include "driver/ws_frame.h"

namespace ebbtide {

class MessageReader {
 public:
  // Gets the bytes of messages as they come; the last ones, or none, with `ends_message`.
  using TakePiece = std::function<void(std::string_view piece, bool ends_message)>;

  // A message of more bytes than `limit`, compressed or not, fails.
  MessageReader(std::uint64_t limit, TakePiece take_piece)
      : limit_(limit), frames_(limit), take_piece_(std::move(take_piece)) {}

  // permessage-deflate was agreed on. `deflate` stays the caller's.
  void decompress_by(Deflate& deflate) {
    deflate_ = &deflate;
    frames_.allow_compression();
  }

  // As FrameReader's: what is part of a message has been given to take_piece.
  FramePart take(std::string_view& bytes, boost::system::error_code& error);

 private:
  boost::system::error_code take_part(const FramePart& part);
  boost::system::error_code decompress(const FramePart& part);
  boost::system::error_code end_message(const FramePart& part, std::string_view last);

  std::uint64_t limit_;
  FrameReader frames_;
  TakePiece take_piece_;
  Deflate* deflate_ = nullptr;
  std::uint64_t decompressed_bytes_ = 0;  // of the message
  Utf8Check text_;                        // of the message
};

}  // namespace ebbtide
