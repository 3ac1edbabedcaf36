#include "driver/ws_deflate.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <boost/beast/core/string.hpp>
#include <boost/beast/websocket/error.hpp>
#include <charconv>
#include <new>
#include <system_error>
#include <utility>

namespace ebbtide {

namespace beast = boost::beast;
namespace zlib = beast::zlib;
using boost::system::error_code;

namespace {

// What a sync flush ends with; a message leaves it out.
constexpr std::string_view flush_end("\0\0\xff\xff", 4);

// Takes the text up to the next `delimiter` off the front of `list`.
std::string_view take_item(std::string_view& list, char delimiter) {
  const std::size_t end = std::min(list.find(delimiter), list.size());
  std::string_view item = list.substr(0, end);
  list.remove_prefix(std::min(end + 1, list.size()));
  const std::size_t begin = item.find_first_not_of(" \t");
  if (begin == std::string_view::npos) return {};
  return item.substr(begin, item.find_last_not_of(" \t") + 1 - begin);
}

// 0: that is none.
int window_bits(std::string_view value) {
  if (value.size() > 2 && value.front() == '"' && value.back() == '"') {
    value = value.substr(1, value.size() - 2);
  }
  int bits = 0;
  const auto [end, error] = std::from_chars(value.data(), value.data() + value.size(), bits);
  const bool is_number = error == std::errc() && end == value.data() + value.size();
  return is_number && value.front() != '0' && bits >= 8 && bits <= 15 ? bits : 0;
}

Error disagreement(std::string_view parameter) {
  return {"agree on", "permessage-deflate",
          fmt::format("the server answered with the parameter \"{}\"", parameter),
          "do without --deflate"};
}

}  // namespace

Result<DeflateParameters> parse_deflate_answer(std::string_view answer) {
  DeflateParameters agreed;
  bool has_bits = false;
  take_item(answer, ';');  // the name
  for (std::string_view rest = answer; !rest.empty();) {
    const std::string_view parameter = take_item(rest, ';');
    std::string_view value = parameter;
    const std::string_view name = take_item(value, '=');
    const auto is_new = [&](bool& seen) { return !std::exchange(seen, true); };
    const auto is_flag = [&](std::string_view flag) {
      return beast::iequals({parameter.data(), parameter.size()}, {flag.data(), flag.size()});
    };
    bool is_right = false;
    if (is_flag("client_no_context_takeover")) {
      is_right = is_new(agreed.client_forgets);
    } else if (is_flag("server_no_context_takeover")) {
      is_right = is_new(agreed.server_forgets);
    } else if (name == "server_max_window_bits") {
      agreed.server_window_bits = window_bits(value);
      is_right = is_new(has_bits) && agreed.server_window_bits != 0;
    }
    if (!is_right) return disagreement(parameter);
  }
  return agreed;
}

Deflate::Deflate(DeflateParameters agreed) : agreed_(agreed) {
  // Negative: the bare stream, without zlib's own header. Fails for want of memory only.
  if (inflateInit2(&in_, -agreed.server_window_bits) != Z_OK) throw std::bad_alloc();
}

Deflate::~Deflate() { inflateEnd(&in_); }

std::string Deflate::compress(std::string_view message) {
  std::string compressed(out_.upper_bound(message.size()) + flush_end.size() + 1, '\0');
  zlib::z_params state{};
  state.next_in = message.data();
  state.avail_in = message.size();
  state.next_out = compressed.data();
  state.avail_out = compressed.size();
  error_code error;
  out_.write(state, zlib::Flush::sync, error);
  const std::size_t size = compressed.size() - state.avail_out;
  if (size < flush_end.size()) return std::string(1, '\0');  // nothing to say: RFC 7692, 7.2.3.6
  compressed.resize(size - flush_end.size());
  if (agreed_.client_forgets) out_.clear();
  return compressed;
}

error_code Deflate::decompress(std::string_view part, bool ends_message,
                               const std::function<bool(std::string_view)>& take) {
  error_code error = inflate(part, take);
  if (!error && ends_message) {
    error = inflate(flush_end, take);
    if (agreed_.server_forgets) inflateReset(&in_);
  }
  return error;
}

error_code Deflate::inflate(std::string_view bytes,
                            const std::function<bool(std::string_view)>& take) {
  std::array<char, 16384> piece;
  in_.next_in = reinterpret_cast<Bytef*>(const_cast<char*>(bytes.data()));
  in_.avail_in = static_cast<uInt>(bytes.size());
  for (;;) {
    in_.next_out = reinterpret_cast<Bytef*>(piece.data());
    in_.avail_out = piece.size();
    const int state = ::inflate(&in_, Z_SYNC_FLUSH);
    const std::size_t size = piece.size() - in_.avail_out;
    if (size > 0 && !take({piece.data(), size})) return {};
    if (state == Z_BUF_ERROR) return {};
    if (state != Z_OK && state != Z_STREAM_END)
      return beast::websocket::error::partial_deflate_block;
    // A final block ends its compressor's stream, not the message (7.2.3.4).
    if (state == Z_STREAM_END) inflateReset(&in_);
    if (in_.avail_in == 0 && in_.avail_out > 0) return {};
  }
}

}  // namespace ebbtide
