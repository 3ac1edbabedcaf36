#include "driver/ending.h"

#include "driver/deadline.h"

namespace ebbtide {

namespace asio = boost::asio;
using boost::system::error_code;

namespace {

// Returns when the server let go, as an error code, or without one when the connection shall leave.
asio::awaitable<error_code> departure_of_server(SessionContext context, bool until_leaving) {
  ConnectionHandle& handle = context.handle;
  Departure departure(handle.changed);
  const int socket = handle.socket.native_handle();
  context.cohort.departures.watch(handle.socket.get_executor(), socket, departure);
  co_await handle.changed.until([&] {
    return departure.gone || !handle.socket.is_open() || (until_leaving && handle.leaving);
  });
  if (handle.socket.is_open()) context.cohort.departures.unwatch(socket);
  if (departure.gone) {
    co_return departure.reset ? error_code(asio::error::connection_reset)
                              : error_code(asio::error::eof);
  }
  co_return handle.aborted ? error_code(asio::error::operation_aborted) : error_code();
}

Attempt note_end(SessionContext context, const error_code& error) {
  context.outcome.server_closed = error == asio::error::eof;
  context.outcome.close_timed_out = error == asio::error::timed_out;
  if (context.outcome.server_closed || context.outcome.close_timed_out) return std::nullopt;
  return attempt_of(Stage::close, error);
}

asio::awaitable<Attempt> end_by_fin(SessionContext context) {
  error_code error;
  context.handle.socket.shutdown(asio::socket_base::shutdown_send, error);
  if (!error) {
    error = co_await within(context.plan().close_timeout, context.handle, read_to_fin(context),
                            error_code(asio::error::timed_out));
  }
  co_return note_end(context, error);
}

void end_by_reset(SessionContext context) {
  error_code ignored;
  context.handle.socket.set_option(asio::socket_base::linger(true, 0), ignored);
  context.handle.socket.close(ignored);
}

// A reset by the server is how it lets go, too.
asio::awaitable<Attempt> stay_half_open(SessionContext context) {
  const error_code error =
      co_await within(context.plan().half_open_limit, context.handle,
                      departure_of_server(context, false), error_code(asio::error::timed_out));
  const bool was_reset = error == asio::error::connection_reset;
  co_return note_end(context, was_reset ? error_code(asio::error::eof) : error);
}

}  // namespace

asio::awaitable<Attempt> hold_unread(SessionContext context) {
  const error_code end = co_await departure_of_server(context, true);
  context.outcome.server_closed = end == asio::error::eof;
  co_return attempt_of(Stage::hold, end);
}

asio::awaitable<error_code> read_to_fin(SessionContext context) {
  for (;;) {
    const auto [error, size] = co_await context.handle.socket.async_read_some(
        asio::buffer(context.cohort.received), as_value);
    if (error) co_return error;
  }
}

asio::awaitable<Attempt> end_connection(SessionContext context) {
  if (resets_handshake(context.outcome)) {
    end_by_reset(context);
    co_return std::nullopt;
  }
  switch (context.outcome.close_mode) {
    case CloseMode::rst:
    case CloseMode::terminate:
    case CloseMode::early:
      end_by_reset(context);
      co_return std::nullopt;
    case CloseMode::half_open:
      co_return co_await stay_half_open(context);
    default:
      co_return co_await end_by_fin(context);
  }
}

}  // namespace ebbtide
