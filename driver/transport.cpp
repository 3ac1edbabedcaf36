#include "driver/transport.h"

#include "driver/deadline.h"
#include "recording/clock.h"

namespace ebbtide {

namespace asio = boost::asio;

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

asio::awaitable<void> Transport::shut_down() {
  if (tls_) co_await tls_->async_shutdown(as_value);
  boost::system::error_code ignored;
  next_layer().shutdown(asio::socket_base::shutdown_send, ignored);
}

}  // namespace ebbtide
