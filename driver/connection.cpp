#include "driver/connection.h"

#include <fmt/format.h>

#include <string_view>

#include "driver/deadline.h"
#include "recording/clock.h"

namespace ebbtide {
namespace {

namespace asio = boost::asio;

constexpr int slow_receive_buffer_bytes = 4096;

using asio::ip::tcp;
using boost::system::error_code;

std::unique_ptr<Session> make_session(SessionContext context) {
  switch (context.plan().url.scheme) {
    case Scheme::ws:
      return make_ws_session(context);
    case Scheme::http:
      return make_http_session(context);
    default:
      break;
  }
  return make_tcp_session(context);
}

std::string with_id(std::string text, std::uint64_t id) {
  constexpr std::string_view placeholder = "{id}";
  const std::string number = std::to_string(id);
  for (std::size_t at = text.find(placeholder); at != std::string::npos;
       at = text.find(placeholder, at + number.size())) {
    text.replace(at, placeholder.size(), number);
  }
  return text;
}

Failure late_opening(const ConnectionPlan& plan) {
  if (plan.url.scheme == Scheme::ws) {
    return late(Stage::upgrade,
                fmt::format("no answer to the upgrade in {} ms", plan.timeout.count()));
  }
  return late(Stage::exchange, fmt::format("no answer to GET in {} ms", plan.timeout.count()));
}

Failure late_step(const Step& step, const std::string& text, std::chrono::milliseconds limit) {
  const char* format = step.kind == Step::Kind::send ? "could not send \"{}\" in {} ms"
                                                     : "no answer to expect \"{}\" in {} ms";
  return late(Stage::exchange, fmt::format(fmt::runtime(format), text, limit.count()));
}

asio::awaitable<Attempt> connect_to(tcp::endpoint endpoint, tcp::socket& socket) {
  const auto [error] = co_await socket.async_connect(endpoint, as_value);
  co_return attempt_of(Stage::connect, error);
}

// A small receive buffer soon makes the server feel that nobody reads.
void shrink_receive_buffer(tcp::socket& socket, const tcp::endpoint& endpoint) {
  error_code ignored;
  socket.open(endpoint.protocol(), ignored);
  socket.set_option(asio::socket_base::receive_buffer_size(slow_receive_buffer_bytes), ignored);
}

asio::awaitable<Attempt> connect(const SessionContext& context) {
  const auto& [cohort, handle, outcome] = context;
  const std::chrono::milliseconds limit = context.plan().timeout;
  Attempt failure = failure_of(Stage::connect, asio::error::operation_aborted);
  for (const tcp::endpoint& endpoint : cohort.endpoints) {
    if (handle.leaving) break;
    error_code ignored;
    handle.socket.close(ignored);
    if (outcome.slow) shrink_receive_buffer(handle.socket, endpoint);
    outcome.start_ns = monotonic_ns();
    failure = co_await within(
        limit, handle.socket, connect_to(endpoint, handle.socket),
        Attempt(late(Stage::connect, fmt::format("no connection in {} ms", limit.count()))));
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
    Attempt failure = co_await within(plan.timeout, handle.socket, std::move(attempt),
                                      Attempt(late_step(step, text, plan.timeout)));
    if (failure) co_return failure;
    if (!is_send && outcome.answered_ns == 0) outcome.answered_ns = monotonic_ns();
  }
  co_return std::nullopt;
}

asio::awaitable<Attempt> live(SessionContext context, const std::function<void()>& on_established) {
  const auto& [cohort, handle, outcome] = context;
  if (Attempt failure = co_await connect(context)) co_return failure;

  const std::unique_ptr<Session> session = make_session(context);
  if (Attempt failure = co_await within(cohort.plan.timeout, handle.socket, session->open(),
                                        Attempt(late_opening(cohort.plan)))) {
    co_return failure;
  }
  if (Attempt failure = co_await run_steps(context, *session)) co_return failure;
  outcome.established_ns = monotonic_ns();
  on_established();

  if (cohort.observer != nullptr) cohort.observer->on_established(outcome.id, outcome.slow);
  Attempt failure = co_await session->hold();
  if (cohort.observer != nullptr) cohort.observer->on_left(outcome.id);
  if (failure) co_return failure;
  co_return co_await session->close();
}

}  // namespace

asio::awaitable<Connection> run_connection(CohortContext& cohort, ConnectionHandle& handle,
                                           Connection outcome,
                                           std::function<void()> on_established) {
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
  co_return outcome;
}

}  // namespace ebbtide
