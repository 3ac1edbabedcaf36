// ws://: RFC 6455 by Beast, which allows one read, one write and one close to be pending at once.
#include <fmt/format.h>

#include <array>
#include <boost/asio/co_spawn.hpp>
#include <boost/beast/core/flat_buffer.hpp>
#include <boost/beast/version.hpp>
#include <boost/beast/websocket/stream.hpp>
#include <exception>
#include <optional>
#include <string_view>
#include <utility>

#include "driver/deadline.h"
#include "driver/session.h"
#include "recording/clock.h"

namespace ebbtide {
namespace {

namespace asio = boost::asio;
namespace beast = boost::beast;
namespace websocket = beast::websocket;
using asio::ip::tcp;
using boost::system::error_code;

// Beast's ways to say that the server is gone, as the one that failure.h knows.
error_code translated(const error_code& error) {
  const bool ended = error == beast::http::error::end_of_stream ||
                     error == beast::http::error::partial_message ||
                     error == websocket::error::closed;
  return ended ? error_code(asio::error::eof) : error;
}

class WsSession : public Session {
 public:
  explicit WsSession(SessionContext context);

  asio::awaitable<Attempt> open() override;
  asio::awaitable<Attempt> send(std::string text) override;
  asio::awaitable<Attempt> expect(std::string text) override;
  asio::awaitable<Attempt> hold() override;
  asio::awaitable<Attempt> close() override;

 private:
  void decorate(websocket::request_type& request) const;
  asio::awaitable<error_code> read_to_end();
  asio::awaitable<error_code> close_stream();

  SessionContext context_;
  websocket::stream<tcp::socket&, false> stream_;
  std::optional<error_code> end_;  // what ended the reading that hold() began
  std::exception_ptr reader_fault_;
};

WsSession::WsSession(SessionContext context) : context_(context), stream_(context.handle.socket) {
  // Steps are short; longer ones are masked piece by piece, still in one frame.
  stream_.write_buffer_bytes(256);
  stream_.auto_fragment(false);
  stream_.read_message_max(max_message_bytes);
  stream_.set_option(websocket::stream_base::decorator(
      [this](websocket::request_type& request) { decorate(request); }));
}

void WsSession::decorate(websocket::request_type& request) const {
  request.set(beast::http::field::user_agent, "ebbtide");
  if (!context_.plan.subprotocol.empty()) {
    request.set(beast::http::field::sec_websocket_protocol, context_.plan.subprotocol);
  }
  for (const auto& [name, value] : context_.plan.headers) request.erase(name);
  for (const auto& [name, value] : context_.plan.headers) request.insert(name, value);
}

asio::awaitable<Attempt> WsSession::open() {
  const Url& url = context_.plan.url;
  websocket::response_type response;
  const auto [error] =
      co_await stream_.async_handshake(response, authority(url), url.target, as_value);
  if (!error || error == websocket::condition::handshake_failed) {
    context_.outcome.http_status = static_cast<int>(response.result_int());
  }
  if (error == websocket::error::upgrade_declined) {
    co_return Failure{Stage::upgrade,
                      fmt::format("upgrade refused with HTTP {}", response.result_int())};
  }
  if (error) co_return failure_of(Stage::upgrade, translated(error));
  context_.outcome.upgraded_ns = monotonic_ns();
  co_return std::nullopt;
}

asio::awaitable<Attempt> WsSession::send(std::string text) {
  const auto [error, size] = co_await stream_.async_write(asio::buffer(text), as_value);
  co_return attempt_of(Stage::exchange, translated(error));
}

asio::awaitable<Attempt> WsSession::expect(std::string text) {
  for (;;) {
    beast::flat_buffer message;
    const auto [error, size] = co_await stream_.async_read(message, as_value);
    context_.outcome.bytes_received += size;
    if (error) co_return failure_of(Stage::exchange, translated(error));
    ++context_.outcome.messages_received;
    const std::string_view content(static_cast<const char*>(message.cdata().data()), size);
    if (content.find(text) != std::string_view::npos) co_return std::nullopt;
  }
}

// Beast cannot take a pending read back without failing the stream, so the reading goes on beside
// this coroutine until the stream ends, through close().
asio::awaitable<Attempt> WsSession::hold() {
  ConnectionHandle& handle = context_.handle;
  asio::co_spawn(co_await asio::this_coro::executor, read_to_end(),
                 [this](const std::exception_ptr& fault, const error_code& error) {
                   reader_fault_ = fault;
                   end_ = error;
                   context_.handle.changed.notify();
                 });
  co_await handle.changed.until([&] { return handle.leaving || end_; });
  if (reader_fault_) std::rethrow_exception(reader_fault_);
  if (!end_) co_return std::nullopt;
  context_.outcome.server_closed = *end_ == asio::error::eof;
  Failure failure = failure_of(Stage::hold, *end_);
  if (const websocket::close_reason& reason = stream_.reason()) {
    failure.text += fmt::format(" (close code {})", reason.code);
  }
  co_return failure;
}

asio::awaitable<Attempt> WsSession::close() {
  ConnectionHandle& handle = context_.handle;
  const error_code error = co_await within(context_.plan.close_timeout, handle.socket,
                                           close_stream(), error_code(asio::error::timed_out));
  error_code ignored;
  handle.socket.close(ignored);  // ends the reading where the server did not
  co_await handle.changed.until([&] { return end_.has_value(); });
  if (reader_fault_) std::rethrow_exception(reader_fault_);

  // The server's FIN is seen by whichever of the two was reading when it came.
  context_.outcome.server_closed = !error || *end_ == asio::error::eof;
  context_.outcome.close_timed_out =
      !context_.outcome.server_closed && error == asio::error::timed_out;
  if (context_.outcome.server_closed || context_.outcome.close_timed_out) co_return std::nullopt;
  const bool reader_knows = *end_ != asio::error::operation_aborted;
  co_return failure_of(Stage::close, reader_knows ? *end_ : error);
}

asio::awaitable<error_code> WsSession::read_to_end() {
  std::array<char, 1024> discarded;
  for (;;) {
    const auto [error, size] = co_await stream_.async_read_some(asio::buffer(discarded), as_value);
    context_.outcome.bytes_received += size;
    if (error) co_return translated(error);
    if (stream_.is_message_done()) ++context_.outcome.messages_received;
  }
}

// Beast sends the close frame, waits for the server's and then for its FIN.
asio::awaitable<error_code> WsSession::close_stream() {
  const auto [error] = co_await stream_.async_close(websocket::close_code::normal, as_value);
  co_return translated(error);
}

}  // namespace

std::unique_ptr<Session> make_ws_session(SessionContext context) {
  return std::make_unique<WsSession>(context);
}

}  // namespace ebbtide
