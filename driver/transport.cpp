#include "driver/transport.h"

#include "driver/deadline.h"
#include "recording/clock.h"

namespace ebbtide {

namespace asio = boost::asio;

namespace {

constexpr std::size_t decrypted_bytes = 4096;

}  // namespace

Transport::Transport(const SessionContext& context)
    : context_(context), socket_(context.handle.socket, context.cohort.observer != nullptr) {}

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

asio::awaitable<void> Transport::shut_down() {
  if (tls_) co_await tls_->async_shutdown(as_value);
  boost::system::error_code ignored;
  next_layer().shutdown(asio::socket_base::shutdown_send, ignored);
}

}  // namespace ebbtide
