#include "driver/connection.h"

#include <fmt/format.h>
#include <netinet/in.h>
#include <poll.h>
#include <sys/socket.h>

#include <cerrno>
#include <string_view>
#include <tuple>
#include <utility>

#include "driver/deadline.h"
#include "driver/ending.h"
#include "driver/limits.h"
#include "driver/placeholder.h"
#include "recording/clock.h"

namespace ebbtide {
namespace {

namespace asio = boost::asio;

constexpr int slow_receive_buffer_bytes = 4096;

using asio::ip::tcp;
using boost::system::error_code;

std::unique_ptr<Session> make_session(SessionContext context) {
  const Scheme scheme = context.plan().url.scheme;
  if (is_websocket(scheme)) return make_ws_session(context);
  if (is_http(scheme)) return make_http_session(context);
  return make_tcp_session(context);
}

Failure late_opening(const SessionContext& context) {
  const auto limit = context.plan().timeout.count();
  const Scheme scheme = context.plan().url.scheme;
  if (is_encrypted(scheme) && context.outcome.secured_ns == 0) {
    return late(Stage::connect, fmt::format("no TLS handshake in {} ms", limit));
  }
  if (is_websocket(scheme)) {
    return late(Stage::upgrade, fmt::format("no answer to the upgrade in {} ms", limit));
  }
  return late(Stage::exchange, fmt::format("no answer to GET in {} ms", limit));
}

Failure late_step(const Step& step, const std::string& text, std::chrono::milliseconds limit) {
  const char* format = step.kind == Step::Kind::send ? "could not send \"{}\" in {} ms"
                                                     : "no answer to expect \"{}\" in {} ms";
  return late(Stage::exchange, fmt::format(fmt::runtime(format), text, limit.count()));
}

// Over loopback the handshake is done when connect(2) returns, though it says "in progress": a look
// at the socket saves the wait for an event that has already come.
asio::awaitable<error_code> connect_to(tcp::endpoint endpoint, tcp::socket& socket) {
  error_code error;
  socket.native_non_blocking(true, error);
  if (error) co_return error;
  const int fd = socket.native_handle();
  if (::connect(fd, endpoint.data(), static_cast<socklen_t>(endpoint.size())) == 0) {
    co_return error;
  }
  if (errno != EINPROGRESS) co_return error_code(errno, boost::system::system_category());
  pollfd writable{fd, POLLOUT, 0};
  if (poll(&writable, 1, 0) == 1 && writable.revents == POLLOUT) co_return error;
  if (writable.revents == 0) {
    std::tie(error) = co_await socket.async_wait(tcp::socket::wait_write, as_value);
    if (error) co_return error;
  }
  int outcome = 0;
  socklen_t size = sizeof outcome;
  getsockopt(fd, SOL_SOCKET, SO_ERROR, &outcome, &size);
  co_return error_code(outcome, boost::system::system_category());
}

// Opens the socket as this connection needs it. The port is chosen by connect(), which may use one
// again that another server's connection has: bind() alone could not know.
error_code prepare(const SessionContext& context, const tcp::endpoint& endpoint) {
  tcp::socket& socket = context.handle.socket;
  const auto index = static_cast<std::uint32_t>(context.outcome.id - context.cohort.first_id);
  const asio::ip::address source = source_address(endpoint, index);
  error_code error;
  socket.open(endpoint.protocol(), error);
  if (!error && context.outcome.slow) {
    // Soon full, so that the server feels that nobody reads.
    socket.set_option(asio::socket_base::receive_buffer_size(slow_receive_buffer_bytes), error);
  }
  if (!error && !source.is_unspecified()) {
    const int on = 1;
    setsockopt(socket.native_handle(), IPPROTO_IP, IP_BIND_ADDRESS_NO_PORT, &on, sizeof on);
    socket.bind({source, 0}, error);
  }
  return error;
}

asio::awaitable<Attempt> connect(const SessionContext& context) {
  const auto& [cohort, handle, outcome] = context;
  const std::chrono::milliseconds limit = context.plan().timeout;
  Attempt failure = failure_of(Stage::connect, asio::error::operation_aborted);
  for (const tcp::endpoint& endpoint : cohort.endpoints) {
    if (handle.leaving) break;
    error_code ignored;
    handle.socket.close(ignored);
    outcome.start_ns = monotonic_ns();
    failure = attempt_of(Stage::connect, prepare(context, endpoint));
    if (failure) continue;
    const Deadline deadline(limit, handle);
    failure = attempt_of(Stage::connect, co_await connect_to(endpoint, handle.socket));
    if (deadline.passed()) {
      failure = late(Stage::connect, fmt::format("no connection in {} ms", limit.count()));
    }
    if (!failure) break;
  }
  if (failure) co_return failure;
  outcome.connected_ns = monotonic_ns();
  error_code error;
  outcome.local_port = handle.socket.local_endpoint(error).port();
  // Steps are small and wait for each other: Nagle's algorithm would only delay them.
  handle.socket.set_option(tcp::no_delay(true), error);
  co_return std::nullopt;
}

asio::awaitable<Attempt> run_steps(const SessionContext& context, Session& session) {
  const auto& [cohort, handle, outcome] = context;
  const ConnectionPlan& plan = cohort.plan;
  for (const Step& step : plan.steps) {
    const std::string text = with_id(step.text, outcome.id);
    const bool is_send = step.kind == Step::Kind::send;
    asio::awaitable<Attempt> attempt = is_send ? session.send(text) : session.expect(text);
    const Deadline deadline(plan.timeout, handle);
    Attempt failure = co_await std::move(attempt);
    if (deadline.passed()) failure = late_step(step, text, plan.timeout);
    if (failure) co_return failure;
    if (is_send && outcome.close_mode == CloseMode::early) break;
    if (!is_send && outcome.answered_ns == 0) outcome.answered_ns = monotonic_ns();
  }
  co_return std::nullopt;
}

// Whatever the server answered, and whether it did, is in outcome.http_status. One that did not has
// had the FIN when the wait for its answer ended, and still holds the connection.
asio::awaitable<Attempt> leave_wrong_path(SessionContext context) {
  if (context.handle.socket.is_open()) co_return co_await end_connection(context);
  context.outcome.close_timed_out = !context.handle.aborted;
  co_return std::nullopt;
}

bool says_goodbye(CloseMode mode, Scheme scheme) {
  return mode == CloseMode::clean || (mode == CloseMode::terminate && is_websocket(scheme));
}

asio::awaitable<Attempt> open(const SessionContext& context, Session& session) {
  const Deadline deadline(context.plan().timeout, context.handle);
  const Attempt failure = co_await session.open();
  co_return deadline.passed() ? late_opening(context) : failure;
}

// Returns when the connection is up, or is over because that is how it shall end.
asio::awaitable<Attempt> establish(const SessionContext& context, Session& session, bool& is_over) {
  is_over = true;
  Attempt failure = co_await open(context, session);
  const CloseMode mode = context.outcome.close_mode;
  if (mode == CloseMode::wrong_path) co_return co_await leave_wrong_path(context);
  if (failure) co_return failure;
  if (mode == CloseMode::abort_handshake) co_return co_await end_connection(context);
  if (failure = co_await run_steps(context, session); failure) co_return failure;
  if (mode == CloseMode::early) co_return co_await end_connection(context);
  context.outcome.established_ns = monotonic_ns();
  is_over = false;
  co_return std::nullopt;
}

asio::awaitable<Attempt> stay(const SessionContext& context, Session& session) {
  ConnectionObserver* const observer = context.cohort.observer;
  if (observer != nullptr) observer->on_established(context.outcome.id, context.outcome.slow);
  const Attempt failure = co_await session.hold();
  if (observer != nullptr) observer->on_left(context.outcome.id);
  co_return failure;
}

// The frame of this one stays as long as the connection: what only its opening needs is elsewhere.
asio::awaitable<Attempt> live(SessionContext context, const std::function<void()>& on_established) {
  Attempt failure = co_await connect(context);
  if (failure) co_return failure;
  const std::unique_ptr<Session> session = make_session(context);
  bool is_over = false;
  failure = co_await establish(context, *session, is_over);
  if (failure || is_over) co_return failure;
  on_established();
  failure = co_await stay(context, *session);
  if (failure) co_return failure;
  if (says_goodbye(context.outcome.close_mode, context.plan().url.scheme)) {
    co_return co_await session->close();
  }
  co_await session->release();
  co_return co_await end_connection(context);
}

}  // namespace

asio::awaitable<void> run_connection(CohortContext& cohort, ConnectionHandle& handle,
                                     Connection& outcome, std::function<void()> on_established) {
  Attempt failure = co_await live({cohort, handle, outcome}, on_established);
  if (failure) {
    if (handle.aborted) failure = failure_of(failure->stage, asio::error::operation_aborted);
    outcome.failed_at = failure->stage;
    outcome.error = failure->text;
    outcome.error_code = failure->error_code;
  }
  // A plain close(2), never SO_LINGER 0: the server's side is what we are here to observe.
  error_code ignored;
  handle.socket.close(ignored);
  outcome.closed_ns = monotonic_ns();
}

}  // namespace ebbtide
