#include "driver/transport.h"

#include <sys/socket.h>

#include <boost/asio/write.hpp>
#include <cerrno>
#include <tuple>

#include "driver/deadline.h"
#include "recording/clock.h"

namespace ebbtide {

namespace asio = boost::asio;
using boost::system::error_code;

namespace {

constexpr std::size_t decrypted_bytes = 4096;

}  // namespace

Transport::Transport(const SessionContext& context)
    : context_(context),
      socket_(context.handle.socket,
              context.cohort.observer != nullptr && is_websocket(context.plan().url.scheme)) {}

asio::awaitable<Attempt> Transport::secure() {
  if (!is_encrypted(context_.plan().url.scheme)) co_return std::nullopt;
  TlsContextPtr& shared = context_.cohort.tls;
  if (!shared) {
    auto made = make_tls_context(context_.plan());
    if (!made) co_return Failure{Stage::connect, made.error().message()};
    shared = *made;
  }
  tls_ = std::make_unique<TlsStream>(socket_, shared->context);
  shared->prepare(tls_->native_handle());
  const auto [error] = co_await tls_->async_handshake(asio::ssl::stream_base::client, as_value);
  if (error) co_return tls_failure(error, tls_->native_handle());
  context_.outcome.secured_ns = monotonic_ns();
  co_return std::nullopt;
}

asio::awaitable<Transport::Received> Transport::receive() {
  for (;;) {
    context_.handle.idle = true;
    if (tls_) {
      decrypted_.resize(decrypted_bytes);
      const auto [error, size] = co_await tls_->async_read_some(asio::buffer(decrypted_), as_value);
      context_.handle.idle = false;
      co_return Received{error, {decrypted_.data(), size}};
    }
    auto [error] = co_await next_layer().async_wait(asio::socket_base::wait_read, as_value);
    context_.handle.idle = false;
    if (error) co_return Received{error};
    auto& room = context_.cohort.received;
    const std::size_t size = socket_.receive(room, error);
    if (error != asio::error::would_block) co_return Received{error, {room.data(), size}};
  }
}

// There is nearly always room: an operation of Asio's would cost more than the system call.
asio::awaitable<error_code> Transport::send(std::string_view bytes) {
  error_code error;
  if (tls_) {
    std::tie(error, std::ignore) = co_await asio::async_write(*tls_, asio::buffer(bytes), as_value);
    co_return error;
  }
  while (!bytes.empty() && !error) {
    const ssize_t size = ::send(next_layer().native_handle(), bytes.data(), bytes.size(),
                                MSG_DONTWAIT | MSG_NOSIGNAL);
    if (size >= 0) {
      bytes.remove_prefix(static_cast<std::size_t>(size));
    } else if (errno == EAGAIN) {
      std::tie(error) = co_await next_layer().async_wait(asio::socket_base::wait_write, as_value);
    } else {
      error = {errno, boost::system::system_category()};
    }
  }
  co_return error;
}

asio::awaitable<void> Transport::shut_down() {
  if (tls_) co_await tls_->async_shutdown(as_value);
  error_code ignored;
  next_layer().shutdown(asio::socket_base::shutdown_send, ignored);
}

}  // namespace ebbtide
