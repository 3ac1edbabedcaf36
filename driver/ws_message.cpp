#include "driver/ws_message.h"

#include <boost/beast/websocket/error.hpp>

namespace ebbtide {

namespace websocket = boost::beast::websocket;
using boost::system::error_code;

FramePart MessageReader::take(std::string_view& bytes, error_code& error) {
  const FramePart part = frames_.take(bytes, error);
  if (part.kind == FramePart::Kind::message) {
    error = part.compressed ? decompress(part) : take_part(part);
  }
  return part;
}

error_code MessageReader::take_part(const FramePart& part) {
  if (part.is_text && !text_.take(part.payload)) return websocket::error::bad_frame_payload;
  if (part.ends_message) return end_message(part, part.payload);
  take_piece_(part.payload, false);
  return {};
}

error_code MessageReader::decompress(const FramePart& part) {
  error_code wrong;
  const error_code error =
      deflate_->decompress(part.payload, part.ends_message, [&](std::string_view piece) {
        decompressed_bytes_ += piece.size();
        if (decompressed_bytes_ > limit_) {
          wrong = websocket::error::message_too_big;
        } else if (part.is_text && !text_.take(piece)) {
          wrong = websocket::error::bad_frame_payload;
        } else {
          take_piece_(piece, false);
        }
        return !wrong;
      });
  if (wrong || error) return wrong ? wrong : error;
  return part.ends_message ? end_message(part, {}) : error_code();
}

error_code MessageReader::end_message(const FramePart& part, std::string_view last) {
  if (part.is_text && !text_.is_whole()) return websocket::error::bad_frame_payload;
  decompressed_bytes_ = 0;
  take_piece_(last, true);
  return {};
}

}  // namespace ebbtide
