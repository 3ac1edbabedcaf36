// Answers: what do a WebSocket's messages look like compressed? permessage-deflate, RFC 7692.
#pragma once

#include <boost/beast/zlib/deflate_stream.hpp>
#include <boost/beast/zlib/inflate_stream.hpp>
#include <boost/system/error_code.hpp>
#include <functional>
#include <string>
#include <string_view>

namespace ebbtide {

class Deflate {
 public:
  // `agreed` is what the server answered to the offer.
  explicit Deflate(std::string_view agreed);

  std::string compress(std::string_view message);

  // Calls `take` with each piece of what a part of a message becomes, until it returns false.
  boost::system::error_code decompress(std::string_view part, bool ends_message,
                                       const std::function<bool(std::string_view)>& take);

 private:
  boost::system::error_code inflate(std::string_view bytes,
                                    const std::function<bool(std::string_view)>& take);

  boost::beast::zlib::deflate_stream out_;
  boost::beast::zlib::inflate_stream in_;
  bool forgets_out_;  // after each message: no context takeover
  bool forgets_in_;
};

}  // namespace ebbtide
