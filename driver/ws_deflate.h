// Answers: what do a WebSocket's messages look like compressed? permessage-deflate, RFC 7692.
#pragma once

#include <zlib.h>

#include <boost/beast/zlib/deflate_stream.hpp>
#include <boost/system/error_code.hpp>
#include <functional>
#include <string>
#include <string_view>

#include "recording/result.h"

namespace ebbtide {

struct DeflateParameters {
  bool client_forgets = false;  // after each message: no context takeover
  bool server_forgets = false;
  int server_window_bits = 15;
};

// Reads a server's answer to the plain offer "permessage-deflate". Refuses what that does not allow
// (RFC 7692, 7.1): parameters that are unknown, wrong or repeated, and client_max_window_bits.
Result<DeflateParameters> parse_deflate_answer(std::string_view answer);

class Deflate {
 public:
  explicit Deflate(DeflateParameters agreed);
  ~Deflate();
  Deflate(const Deflate&) = delete;
  Deflate& operator=(const Deflate&) = delete;

  std::string compress(std::string_view message);

  // Calls `take` with each piece of what a part of a message becomes, until it returns false.
  boost::system::error_code decompress(std::string_view part, bool ends_message,
                                       const std::function<bool(std::string_view)>& take);

 private:
  boost::system::error_code inflate(std::string_view bytes,
                                    const std::function<bool(std::string_view)>& take);

  boost::beast::zlib::deflate_stream out_;
  z_stream in_{};  // Beast's reads beyond the end of a final block
  DeflateParameters agreed_;
};

}  // namespace ebbtide
