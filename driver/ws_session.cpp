// ws:// and wss://: RFC 6455 by Beast, which allows one read, one write and one close to be pending
// at once. Beast answers pings while it reads.
#include <fmt/format.h>

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/write.hpp>
#include <boost/beast/core/bind_handler.hpp>
#include <boost/beast/core/flat_buffer.hpp>
#include <boost/beast/version.hpp>
#include <boost/beast/websocket/stream.hpp>
#include <exception>
#include <string_view>
#include <utility>

#include "driver/deadline.h"
#include "driver/ending.h"
#include "driver/session.h"
#include "driver/transport.h"
#include "recording/clock.h"

namespace ebbtide {

namespace asio = boost::asio;
namespace beast = boost::beast;
namespace websocket = beast::websocket;
using boost::system::error_code;
using namespace std::chrono_literals;

// Beast calls these when both have said goodbye, and after a protocol error. It would wait for the
// server's FIN as long as that takes; the session waits itself, as long as the plan says.
void teardown(beast::role_type, Transport&, error_code&) {}

template <class Handler>
void async_teardown(beast::role_type, Transport& stream, Handler&& handler) {
  asio::post(stream.get_executor(),
             beast::bind_front_handler(std::forward<Handler>(handler), error_code{}));
}

namespace {

constexpr std::size_t kept_message_bytes = 4096;  // more is given back after a message

std::string_view content_of(const beast::flat_buffer& message) {
  return {static_cast<const char*>(message.cdata().data()), message.size()};
}

class WsSession : public Session {
 public:
  explicit WsSession(SessionContext context);

  asio::awaitable<Attempt> open() override;
  asio::awaitable<Attempt> send(std::string text) override;
  asio::awaitable<Attempt> expect(std::string text) override;
  asio::awaitable<Attempt> hold() override;
  asio::awaitable<Attempt> close() override;
  asio::awaitable<void> release() override;

 private:
  asio::awaitable<Attempt> send_half_a_request(std::string host, std::string target);
  void decorate(websocket::request_type& request) const;
  void start_reading();
  asio::awaitable<error_code> discard_messages();
  asio::awaitable<error_code> tell_messages();
  asio::awaitable<error_code> say_goodbye();
  [[nodiscard]] Failure failed(Stage stage, const error_code& error) const;

  SessionContext context_;
  websocket::stream<Transport, true> stream_;
  bool reading_ = false;  // beside the connection's coroutine
  error_code end_;        // what ended that
  std::exception_ptr reader_fault_;
};

WsSession::WsSession(SessionContext context) : context_(context), stream_(context) {
  // Steps are short; longer ones are masked piece by piece, still in one frame.
  stream_.write_buffer_bytes(256);
  stream_.auto_fragment(false);
  stream_.read_message_max(max_message_bytes);
  websocket::permessage_deflate deflate;
  deflate.client_enable = context.plan().deflate;
  stream_.set_option(deflate);
  stream_.set_option(websocket::stream_base::decorator(
      [this](websocket::request_type& request) { decorate(request); }));
}

void WsSession::decorate(websocket::request_type& request) const {
  request.set(beast::http::field::user_agent, "ebbtide");
  if (!context_.plan().subprotocol.empty()) {
    request.set(beast::http::field::sec_websocket_protocol, context_.plan().subprotocol);
  }
  for (const auto& [name, value] : context_.plan().headers) request.erase(name);
  for (const auto& [name, value] : context_.plan().headers) request.insert(name, value);
}

asio::awaitable<Attempt> WsSession::open() {
  if (Attempt failure = co_await stream_.next_layer().secure()) co_return failure;
  const std::string host = authority(context_.plan().url);
  const CloseMode mode = context_.outcome.close_mode;
  const std::string target =
      mode == CloseMode::wrong_path ? unserved_path : context_.plan().url.target;
  if (mode == CloseMode::abort_handshake) co_return co_await send_half_a_request(host, target);
  websocket::response_type response;
  const auto [error] = co_await stream_.async_handshake(response, host, target, as_value);
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

asio::awaitable<Attempt> WsSession::send_half_a_request(std::string host, std::string target) {
  const std::string half = fmt::format(
      "GET {} HTTP/1.1\r\nHost: {}\r\nConnection: Upgrade\r\nUpgrade: webso", target, host);
  const auto [error, size] =
      co_await asio::async_write(stream_.next_layer(), asio::buffer(half), as_value);
  co_return attempt_of(Stage::upgrade, error);
}

asio::awaitable<Attempt> WsSession::send(std::string text) {
  const auto [error, size] = co_await stream_.async_write(asio::buffer(text), as_value);
  if (error) co_return failed(Stage::exchange, error);
  context_.count_sent_message(size);
  co_return std::nullopt;
}

asio::awaitable<Attempt> WsSession::expect(std::string text) {
  for (;;) {
    beast::flat_buffer message;
    const auto [error, size] = co_await stream_.async_read(message, as_value);
    context_.count_received_bytes(size);
    if (error) co_return failed(Stage::exchange, error);
    context_.count_received_message();
    if (content_of(message).find(text) != std::string_view::npos) co_return std::nullopt;
  }
}

asio::awaitable<Attempt> WsSession::hold() {
  ConnectionHandle& handle = context_.handle;
  if (context_.outcome.slow) co_return co_await hold_unread(context_);
  start_reading();
  co_await handle.changed.until([&] { return handle.leaving || end_; });
  if (reader_fault_) std::rethrow_exception(reader_fault_);
  if (!end_) co_return std::nullopt;

  error_code last = translated(end_);
  if (end_ == websocket::error::closed) {
    last = co_await within(context_.plan().close_timeout, handle.socket, read_to_fin(context_),
                           error_code(asio::error::timed_out));
  }
  context_.outcome.server_closed = last == asio::error::eof;
  context_.outcome.close_timed_out = last == asio::error::timed_out;
  co_return failed(Stage::hold, end_);
}

asio::awaitable<Attempt> WsSession::close() {
  ConnectionHandle& handle = context_.handle;
  const bool waits = context_.outcome.close_mode != CloseMode::terminate;
  error_code ignored;
  if (!waits) handle.socket.set_option(asio::socket_base::linger(true, 0), ignored);
  // The close frame is written before anything is waited for.
  const std::chrono::milliseconds limit = waits ? context_.plan().close_timeout : 0ms;
  const error_code error =
      co_await within(limit, handle.socket, say_goodbye(), error_code(asio::error::timed_out));
  handle.socket.close(ignored);  // ends the reading where the server did not
  co_await handle.changed.until([&] { return !reading_; });
  if (reader_fault_) std::rethrow_exception(reader_fault_);

  if (!waits) co_return std::nullopt;
  context_.outcome.server_closed = error == asio::error::eof;
  context_.outcome.close_timed_out = error == asio::error::timed_out;
  if (context_.outcome.server_closed || context_.outcome.close_timed_out) co_return std::nullopt;
  co_return failed(Stage::close, error);
}

asio::awaitable<void> WsSession::release() {
  error_code ignored;
  context_.handle.socket.cancel(ignored);
  co_await context_.handle.changed.until([&] { return !reading_; });
  if (reader_fault_) std::rethrow_exception(reader_fault_);
}

// Beast cannot take a pending read back without failing the stream, so the reading goes on beside
// the connection's coroutine until the stream ends, through close().
void WsSession::start_reading() {
  reading_ = true;
  const bool is_observed = context_.cohort.observer != nullptr;
  asio::co_spawn(context_.handle.socket.get_executor(),
                 is_observed ? tell_messages() : discard_messages(),
                 [this](const std::exception_ptr& fault, const error_code& error) {
                   reader_fault_ = fault;
                   end_ = fault ? error_code(asio::error::fault) : error;
                   reading_ = false;
                   context_.handle.changed.notify();
                 });
}

asio::awaitable<error_code> WsSession::discard_messages() {
  for (;;) {
    const auto [error, size] =
        co_await stream_.async_read_some(asio::buffer(context_.cohort.discarded), as_value);
    context_.count_received_bytes(size);
    if (error) co_return error;
    if (stream_.is_message_done()) context_.count_received_message();
  }
}

asio::awaitable<error_code> WsSession::tell_messages() {
  beast::flat_buffer message;
  for (;;) {
    const auto [error, size] = co_await stream_.async_read(message, as_value);
    context_.count_received_bytes(size);
    if (error) co_return error;
    context_.count_received_message();
    if (!context_.handle.leaving) {
      context_.cohort.observer->on_message(
          context_.outcome.id, content_of(message),
          {.arrived_ns = stream_.next_layer().arrived_ns(), .read_ns = monotonic_ns()});
    }
    message.clear();
    if (message.capacity() > kept_message_bytes) message.shrink_to_fit();
  }
}

// Close frames both ways, then the server's FIN: eof when all of that came.
asio::awaitable<error_code> WsSession::say_goodbye() {
  const auto [error] = co_await stream_.async_close(websocket::close_code::normal, as_value);
  co_await context_.handle.changed.until([&] { return !reading_; });
  const bool agreed = !error || end_ == websocket::error::closed;
  if (agreed) co_return co_await read_to_fin(context_);
  // Whichever of the two was reading knows what the server did.
  const bool reader_knows = end_ && end_ != asio::error::operation_aborted;
  co_return translated(reader_knows ? end_ : error);
}

Failure WsSession::failed(Stage stage, const error_code& error) const {
  Failure failure = failure_of(stage, translated(error));
  if (const websocket::close_reason& reason = stream_.reason()) {
    failure.text += fmt::format(" (close code {})", reason.code);
  }
  return failure;
}

}  // namespace

std::unique_ptr<Session> make_ws_session(SessionContext context) {
  return std::make_unique<WsSession>(context);
}

}  // namespace ebbtide
