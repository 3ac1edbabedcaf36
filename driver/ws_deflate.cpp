#include "driver/ws_deflate.h"

#include <array>

namespace ebbtide {

namespace zlib = boost::beast::zlib;
using boost::system::error_code;

namespace {

// What a sync flush ends with; a message leaves it out.
constexpr std::string_view flush_end("\0\0\xff\xff", 4);

bool has(std::string_view agreed, std::string_view parameter) {
  return agreed.find(parameter) != std::string_view::npos;
}

}  // namespace

Deflate::Deflate(std::string_view agreed)
    : forgets_out_(has(agreed, "client_no_context_takeover")),
      forgets_in_(has(agreed, "server_no_context_takeover")) {}

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
  if (forgets_out_) out_.clear();
  return compressed;
}

error_code Deflate::decompress(std::string_view part, bool ends_message,
                               const std::function<bool(std::string_view)>& take) {
  error_code error = inflate(part, take);
  if (!error && ends_message) {
    error = inflate(flush_end, take);
    if (forgets_in_) in_.clear();
  }
  return error;
}

error_code Deflate::inflate(std::string_view bytes,
                            const std::function<bool(std::string_view)>& take) {
  std::array<char, 16384> piece;
  zlib::z_params state{};
  state.next_in = bytes.data();
  state.avail_in = bytes.size();
  for (;;) {
    state.next_out = piece.data();
    state.avail_out = piece.size();
    error_code error;
    in_.write(state, zlib::Flush::sync, error);
    const std::size_t size = piece.size() - state.avail_out;
    if (size > 0 && !take({piece.data(), size})) return {};
    if (error == zlib::error::need_buffers) return {};
    if (error) return error;
    if (state.avail_in == 0 && state.avail_out > 0) return {};
  }
}

}  // namespace ebbtide
