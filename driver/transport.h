// Answers: how do the bytes of a session travel, as they are or by TLS?
#pragma once

#include <boost/asio/ssl/stream.hpp>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "driver/session.h"
#include "driver/stamped_socket.h"
#include "driver/tls.h"

namespace ebbtide {

// The stream below ws and http. TLS costs a connection far more memory than all else: Asio's and
// OpenSSL's buffers.
class Transport {
 public:
  using executor_type = StampedSocket::executor_type;
  using next_layer_type = boost::asio::ip::tcp::socket;

  explicit Transport(const SessionContext& context);

  // The TLS handshake, where the plan's scheme asks for one; sets outcome.secured_ns.
  boost::asio::awaitable<Attempt> secure();

  // Reads what has come, at least a byte, into the cohort's buffer: look at it before anything is
  // waited for. Meanwhile handle.idle is set, and handle.leave() ends the wait.
  struct Received {
    boost::system::error_code error = {};
    std::string_view bytes = {};
  };
  boost::asio::awaitable<Received> receive();

  // Writes all of `bytes`.
  boost::asio::awaitable<boost::system::error_code> send(std::string_view bytes);

  // Says that nothing more will be sent, in TLS's own words first; waits for the server's.
  boost::asio::awaitable<void> shut_down();

  executor_type get_executor() { return socket_.get_executor(); }
  next_layer_type& next_layer() { return socket_.next_layer(); }
  [[nodiscard]] std::uint64_t arrived_ns() const { return socket_.arrived_ns(); }

  template <class Buffers, class Token>
  auto async_read_some(const Buffers& buffers, Token&& token) {
    if (tls_) return tls_->async_read_some(buffers, std::forward<Token>(token));
    return socket_.async_read_some(buffers, std::forward<Token>(token));
  }

  template <class Buffers, class Token>
  auto async_write_some(const Buffers& buffers, Token&& token) {
    if (tls_) return tls_->async_write_some(buffers, std::forward<Token>(token));
    return socket_.async_write_some(buffers, std::forward<Token>(token));
  }

 private:
  using TlsStream = boost::asio::ssl::stream<StampedSocket&>;

  SessionContext context_;
  StampedSocket socket_;
  std::unique_ptr<TlsStream> tls_;  // once secured, or while that is tried
  std::vector<char> decrypted_;     // what TLS received: that may be written to while others read
};

}  // namespace ebbtide
