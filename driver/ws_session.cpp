// ws:// and wss://: what a client says and hears in RFC 6455, one read and one write at a time.
#include <fmt/format.h>

#include <array>
#include <boost/beast/websocket/error.hpp>
#include <memory>
#include <optional>
#include <string_view>
#include <tuple>
#include <utility>

#include "driver/deadline.h"
#include "driver/ending.h"
#include "driver/placeholder.h"
#include "driver/session.h"
#include "driver/transport.h"
#include "driver/ws_deflate.h"
#include "driver/ws_message.h"
#include "driver/ws_upgrade.h"
#include "recording/clock.h"

namespace ebbtide {
namespace {

namespace asio = boost::asio;
namespace websocket = boost::beast::websocket;
using boost::system::error_code;

constexpr std::uint16_t normal_closure = 1000;
constexpr std::uint16_t protocol_error = 1002;
constexpr std::uint16_t invalid_payload = 1007;
constexpr std::uint16_t message_too_big = 1009;
constexpr std::size_t kept_message_bytes = 4096;  // more is given back after a message

// What a client says when it leaves because of `error`.
std::uint16_t close_code_for(const error_code& error) {
  if (error == websocket::error::message_too_big) return message_too_big;
  const bool is_text =
      error == websocket::error::bad_frame_payload || error == websocket::error::bad_close_payload;
  return is_text ? invalid_payload : protocol_error;
}

class WsSession : public Session {
 public:
  explicit WsSession(SessionContext context) : context_(context), transport_(context) {}

  asio::awaitable<Attempt> open() override;
  asio::awaitable<Attempt> send(std::string text) override;
  asio::awaitable<Attempt> expect(std::string text) override;
  asio::awaitable<Attempt> hold() override;
  asio::awaitable<Attempt> close() override;
  asio::awaitable<void> release() override { co_return; }

 private:
  enum class Mode : std::uint8_t { expecting, holding, closing };

  asio::awaitable<Attempt> abort_upgrade(std::string target);
  std::string make_request(const std::string& target, std::string& key);
  asio::awaitable<Attempt> upgrade(std::string target);
  asio::awaitable<error_code> read_messages();
  error_code take(std::string_view& bytes);
  void take_piece(std::string_view piece, bool ends_message);
  error_code take_close(std::string_view payload);
  void end_message(std::string_view message);
  void append(Opcode opcode, std::string_view payload, bool compressed = false);
  asio::awaitable<error_code> flush();
  asio::awaitable<error_code> say_goodbye();
  asio::awaitable<error_code> answer_close();
  [[nodiscard]] bool keeps_messages() const;
  [[nodiscard]] bool shall_leave() const {
    return mode_ == Mode::holding && context_.handle.leaving;
  }
  [[nodiscard]] Failure failed(Stage stage, const error_code& error) const;

  SessionContext context_;
  Transport transport_;
  std::unique_ptr<Deflate> deflate_;  // when it was agreed on
  MessageReader messages_{max_message_bytes, [this](std::string_view piece, bool ends_message) {
                            take_piece(piece, ends_message);
                          }};
  std::string unread_;   // came together with what has been looked at
  std::string message_;  // so far, where messages are kept
  std::string unsent_;   // frames
  bool writing_ = false;
  bool pong_is_late_ = false;  // the server did not take it in time
  Mode mode_ = Mode::expecting;
  std::string_view expected_;
  bool has_come_ = false;                    // the expected message
  std::optional<std::uint16_t> close_code_;  // the server's
};

asio::awaitable<Attempt> WsSession::open() {
  if (is_encrypted(context_.plan().url.scheme)) {
    if (Attempt failure = co_await transport_.secure()) co_return failure;
  }
  const CloseMode mode = context_.outcome.close_mode;
  const std::string target =
      mode == CloseMode::wrong_path ? unserved_path : context_.plan().url.target;
  if (mode == CloseMode::abort_handshake) co_return co_await abort_upgrade(target);
  if (Attempt failure = co_await upgrade(target)) co_return failure;
  if (context_.outcome.http_status != 101) {
    co_return Failure{Stage::upgrade,
                      fmt::format("upgrade refused with HTTP {}", context_.outcome.http_status)};
  }
  context_.outcome.upgraded_ns = monotonic_ns();
  co_return std::nullopt;
}

asio::awaitable<Attempt> WsSession::abort_upgrade(std::string target) {
  std::string request;
  if (resets_handshake(context_.outcome)) {
    std::string key;
    request = make_request(target, key);
  } else {
    request = fmt::format("GET {} HTTP/1.1\r\nHost: {}\r\nConnection: Upgrade\r\nUpgrade: webso",
                          with_id(target, context_.outcome.id), authority(context_.plan().url));
  }
  const error_code error = co_await transport_.send(request);
  if (!error && resets_handshake(context_.outcome)) {
    // A reset takes away what the server has not read: the request must have come to it before.
    asio::steady_timer read(co_await asio::this_coro::executor, std::chrono::milliseconds(10));
    co_await read.async_wait(as_value);
  }
  co_return attempt_of(Stage::upgrade, error);
}

// `key` becomes the one that the server's answer must fit.
std::string WsSession::make_request(const std::string& target, std::string& key) {
  std::array<std::uint32_t, 4> random{};
  for (std::uint32_t& word : random) word = context_.cohort.random();
  key = base64({reinterpret_cast<const char*>(random.data()), sizeof random});
  return with_id(upgrade_request(context_.plan(), target, key), context_.outcome.id);
}

asio::awaitable<Attempt> WsSession::upgrade(std::string target) {
  std::string key;
  unsent_ = make_request(target, key);
  if (const error_code error = co_await flush()) co_return failed(Stage::upgrade, error);
  UpgradeAnswer answer;
  while (answer.status == 0) {
    const auto [error, bytes] = co_await transport_.receive();
    if (error) co_return failed(Stage::upgrade, error);
    unread_.append(bytes);
    answer = take_upgrade_answer(unread_, context_.plan(), key);
    context_.outcome.http_status = answer.status;
    if (answer.failure) co_return answer.failure;
  }
  if (answer.deflate) {
    deflate_ = std::make_unique<Deflate>(*answer.deflate);
    messages_.decompress_by(*deflate_);
  }
  co_return std::nullopt;
}

asio::awaitable<Attempt> WsSession::send(std::string text) {
  append(Opcode::text, deflate_ ? deflate_->compress(text) : text, deflate_ != nullptr);
  if (const error_code error = co_await flush()) co_return failed(Stage::exchange, error);
  context_.count_sent_message(text.size());
  co_return std::nullopt;
}

asio::awaitable<Attempt> WsSession::expect(std::string text) {
  mode_ = Mode::expecting;
  expected_ = text;
  const error_code error = co_await read_messages();
  if (!std::exchange(has_come_, false)) co_return failed(Stage::exchange, error);
  co_return std::nullopt;
}

asio::awaitable<Attempt> WsSession::hold() {
  ConnectionHandle& handle = context_.handle;
  if (context_.outcome.slow) co_return co_await hold_unread(context_);
  mode_ = Mode::holding;
  const error_code end = co_await read_messages();
  if (!end) co_return std::nullopt;

  error_code last = translated(end);
  if (end == websocket::error::closed) {
    last = co_await within(context_.plan().close_timeout, handle, answer_close(),
                           error_code(asio::error::timed_out));
    context_.outcome.close_timed_out = last == asio::error::timed_out;
  }
  context_.outcome.server_closed = last == asio::error::eof;
  if (!pong_is_late_) co_return failed(Stage::hold, end);
  co_return late(Stage::hold, fmt::format("the server did not take a pong in {} ms",
                                          context_.plan().timeout.count()));
}

// The server has said goodbye.
asio::awaitable<error_code> WsSession::answer_close() {
  co_await flush();
  co_return co_await read_to_fin(context_);
}

asio::awaitable<Attempt> WsSession::close() {
  ConnectionHandle& handle = context_.handle;
  const error_code error = co_await within(context_.plan().close_timeout, handle, say_goodbye(),
                                           error_code(asio::error::timed_out));
  if (context_.outcome.close_mode == CloseMode::terminate) co_return std::nullopt;
  context_.outcome.server_closed = error == asio::error::eof;
  context_.outcome.close_timed_out = error == asio::error::timed_out;
  if (context_.outcome.server_closed || context_.outcome.close_timed_out) co_return std::nullopt;
  co_return failed(Stage::close, error);
}

// Close frames both ways, then the server's FIN: eof when all of that came.
asio::awaitable<error_code> WsSession::say_goodbye() {
  append(Opcode::close, close_payload(normal_closure));
  co_await flush();
  if (context_.outcome.close_mode == CloseMode::terminate) {
    error_code ignored;
    context_.handle.socket.set_option(asio::socket_base::linger(true, 0), ignored);
    context_.handle.shut();
    co_return error_code();
  }
  mode_ = Mode::closing;
  error_code end = co_await read_messages();  // knows what the server did, written or not
  if (end == websocket::error::closed) end = co_await read_to_fin(context_);
  co_return translated(end);
}

// Until the server has ended the connection, or the expected message has come, or the connection
// shall leave.
asio::awaitable<error_code> WsSession::read_messages() {
  for (;;) {
    error_code error;
    const std::string earlier = std::exchange(unread_, {});
    std::string_view bytes = earlier;
    if (bytes.empty()) {
      if (shall_leave()) co_return error_code();
      const auto came = co_await transport_.receive();
      if (came.error) co_return shall_leave() ? error_code() : came.error;
      bytes = came.bytes;
    }
    while (!bytes.empty() && !error && !has_come_) error = take(bytes);
    unread_ = bytes;
    // The answer to a close frame belongs to the close and its time.
    const bool is_closing = mode_ == Mode::holding && error == websocket::error::closed;
    if (!unsent_.empty() && !is_closing) {
      const Deadline deadline(context_.plan().timeout, context_.handle);
      const error_code written = co_await flush();
      pong_is_late_ = deadline.passed() && !error;
      if (!error) error = written;
    }
    if (error || has_come_) co_return error;
  }
}

error_code WsSession::take(std::string_view& bytes) {
  error_code error;
  const FramePart part = messages_.take(bytes, error);
  if (part.kind == FramePart::Kind::ping) append(Opcode::pong, part.payload);
  if (part.kind == FramePart::Kind::close) return take_close(part.payload);
  if (error) append(Opcode::close, close_payload(close_code_for(error)));
  return error;
}

void WsSession::take_piece(std::string_view piece, bool ends_message) {
  context_.count_received_bytes(piece.size());
  const bool is_whole = ends_message && message_.empty();
  if (!is_whole && keeps_messages()) message_.append(piece);
  if (ends_message) end_message(is_whole ? piece : message_);
}

// Only messages that somebody looks at are put together.
bool WsSession::keeps_messages() const {
  return mode_ == Mode::expecting ||
         (mode_ == Mode::holding && context_.cohort.observer != nullptr);
}

void WsSession::end_message(std::string_view message) {
  context_.count_received_message();
  if (mode_ == Mode::expecting) {
    has_come_ = message.find(expected_) != std::string_view::npos;
  } else if (keeps_messages() && !context_.handle.leaving) {
    context_.cohort.observer->on_message(
        context_.outcome.id, message,
        {.arrived_ns = transport_.arrived_ns(), .read_ns = monotonic_ns()});
  }
  message_.clear();
  if (message_.capacity() > kept_message_bytes) message_.shrink_to_fit();
}

error_code WsSession::take_close(std::string_view payload) {
  close_code_ = close_code_of(payload);
  if (mode_ != Mode::closing) append(Opcode::close, payload.substr(0, 2));
  return websocket::error::closed;
}

void WsSession::append(Opcode opcode, std::string_view payload, bool compressed) {
  const auto mask = static_cast<std::uint32_t>(context_.cohort.random());
  unsent_ += masked_frame(opcode, payload, mask, compressed);
}

// Writes what is unsent, beside a reader that may do the same.
asio::awaitable<error_code> WsSession::flush() {
  if (writing_) co_await context_.handle.changed.until([this] { return !writing_; });
  error_code error;
  writing_ = true;
  while (!unsent_.empty() && !error) {
    const std::string frames = std::exchange(unsent_, {});
    error = co_await transport_.send(frames);
  }
  writing_ = false;
  context_.handle.changed.notify();
  co_return error;
}

Failure WsSession::failed(Stage stage, const error_code& error) const {
  Failure failure = failure_of(stage, translated(error));
  if (close_code_) failure.text += fmt::format(" (close code {})", *close_code_);
  return failure;
}

}  // namespace

std::unique_ptr<Session> make_ws_session(SessionContext context) {
  return std::make_unique<WsSession>(context);
}

}  // namespace ebbtide
