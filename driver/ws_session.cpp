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
#include "driver/session.h"
#include "driver/transport.h"
#include "driver/ws_deflate.h"
#include "driver/ws_frame.h"
#include "driver/ws_upgrade.h"
#include "recording/clock.h"

namespace ebbtide {
namespace {

namespace asio = boost::asio;
namespace websocket = boost::beast::websocket;
using boost::system::error_code;

constexpr std::uint16_t normal_closure = 1000;
constexpr std::uint16_t protocol_error = 1002;
constexpr std::uint16_t message_too_big = 1009;
constexpr std::size_t kept_message_bytes = 4096;  // more is given back after a message

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

  asio::awaitable<Attempt> send_half_a_request(std::string target);
  asio::awaitable<error_code> upgrade(std::string target);
  asio::awaitable<error_code> read_messages();
  error_code take(std::string_view& bytes);
  error_code take_message(const FramePart& part);
  error_code take_decompressed(const FramePart& part);
  error_code take_close(std::string_view payload);
  void end_message(std::string_view message);
  void append(Opcode opcode, std::string_view payload, bool compressed = false);
  asio::awaitable<error_code> flush();
  asio::awaitable<error_code> say_goodbye();
  [[nodiscard]] bool keeps_messages() const;
  [[nodiscard]] bool shall_leave() const {
    return mode_ == Mode::holding && context_.handle.leaving;
  }
  [[nodiscard]] Failure failed(Stage stage, const error_code& error) const;

  SessionContext context_;
  Transport transport_;
  FrameReader frames_{max_message_bytes};
  std::unique_ptr<Deflate> deflate_;    // when it was agreed on
  std::string unread_;                  // came together with what has been looked at
  std::string message_;                 // so far, where messages are kept
  std::size_t decompressed_bytes_ = 0;  // of the message
  std::string unsent_;                  // frames
  bool writing_ = false;
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
  if (mode == CloseMode::abort_handshake) co_return co_await send_half_a_request(target);
  if (const error_code error = co_await upgrade(target)) {
    co_return failure_of(Stage::upgrade, translated(error));
  }
  if (context_.outcome.http_status != 101) {
    co_return Failure{Stage::upgrade,
                      fmt::format("upgrade refused with HTTP {}", context_.outcome.http_status)};
  }
  context_.outcome.upgraded_ns = monotonic_ns();
  co_return std::nullopt;
}

asio::awaitable<Attempt> WsSession::send_half_a_request(std::string target) {
  const std::string half =
      fmt::format("GET {} HTTP/1.1\r\nHost: {}\r\nConnection: Upgrade\r\nUpgrade: webso", target,
                  authority(context_.plan().url));
  co_return attempt_of(Stage::upgrade, co_await transport_.send(half));
}

asio::awaitable<error_code> WsSession::upgrade(std::string target) {
  std::array<std::uint32_t, 4> random{};
  for (std::uint32_t& word : random) word = context_.cohort.random();
  const std::string key = base64({reinterpret_cast<const char*>(random.data()), sizeof random});
  unsent_ = upgrade_request(context_.plan(), target, key);
  if (const error_code error = co_await flush()) co_return error;
  UpgradeAnswer answer;
  while (answer.status == 0) {
    const auto [error, bytes] = co_await transport_.receive();
    if (error) co_return error;
    unread_.append(bytes);
    error_code wrong;
    answer = take_upgrade_answer(unread_, key, wrong);
    context_.outcome.http_status = answer.status;
    if (wrong) co_return wrong;
  }
  if (context_.plan().deflate && !answer.extensions.empty()) {
    deflate_ = std::make_unique<Deflate>(answer.extensions);
    frames_.allow_compression();
  }
  co_return error_code();
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
    last = co_await within(context_.plan().close_timeout, handle, read_to_fin(context_),
                           error_code(asio::error::timed_out));
  }
  context_.outcome.server_closed = last == asio::error::eof;
  context_.outcome.close_timed_out = last == asio::error::timed_out;
  co_return failed(Stage::hold, end);
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
    if (!unsent_.empty()) {
      const error_code written = co_await within(context_.plan().timeout, context_.handle, flush(),
                                                 error_code(asio::error::timed_out));
      if (!error) error = written;
    }
    if (error || has_come_) co_return error;
  }
}

error_code WsSession::take(std::string_view& bytes) {
  error_code error;
  const FramePart part = frames_.take(bytes, error);
  switch (part.kind) {
    case FramePart::Kind::message:
      error = take_message(part);
      break;
    case FramePart::Kind::ping:
      append(Opcode::pong, part.payload);
      break;
    case FramePart::Kind::close:
      return take_close(part.payload);
    default:
      break;
  }
  if (error) {
    const bool too_big = error == websocket::error::message_too_big;
    append(Opcode::close, close_payload(too_big ? message_too_big : protocol_error));
  }
  return error;
}

error_code WsSession::take_message(const FramePart& part) {
  if (part.compressed) return take_decompressed(part);
  context_.count_received_bytes(part.payload.size());
  const bool is_whole = part.ends_message && message_.empty();
  if (!is_whole && keeps_messages()) message_.append(part.payload);
  if (part.ends_message) end_message(is_whole ? part.payload : message_);
  return {};
}

error_code WsSession::take_decompressed(const FramePart& part) {
  bool too_big = false;
  const error_code error =
      deflate_->decompress(part.payload, part.ends_message, [&](std::string_view piece) {
        context_.count_received_bytes(piece.size());
        decompressed_bytes_ += piece.size();
        too_big = decompressed_bytes_ > max_message_bytes;
        if (keeps_messages()) message_.append(piece);
        return !too_big;
      });
  if (too_big) return websocket::error::message_too_big;
  if (part.ends_message) {
    decompressed_bytes_ = 0;
    end_message(message_);
  }
  return error;
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
  if (payload.size() >= 2) {
    const auto byte = [&](std::size_t at) { return static_cast<unsigned char>(payload[at]); };
    close_code_ = static_cast<std::uint16_t>(byte(0) << 8 | byte(1));
  }
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
