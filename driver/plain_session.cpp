#include "driver/plain_session.h"

#include "driver/deadline.h"
#include "driver/ending.h"

namespace ebbtide {

namespace asio = boost::asio;
using boost::system::error_code;

// Without an error when the connection shall leave before the end.
asio::awaitable<error_code> PlainSession::read_to_end(bool until_leaving) {
  for (;;) {
    if (until_leaving && context_.handle.leaving) co_return error_code();
    const auto [error, bytes] = co_await transport_.receive();
    context_.count_received_bytes(bytes.size());
    if (error && !(until_leaving && context_.handle.leaving)) co_return translated(error);
  }
}

asio::awaitable<error_code> PlainSession::say_goodbye() {
  co_await transport_.shut_down();
  co_return co_await read_to_end(false);
}

asio::awaitable<Attempt> PlainSession::hold() {
  if (context_.outcome.slow) co_return co_await hold_unread(context_);
  const error_code error = co_await read_to_end(true);
  context_.outcome.server_closed = error == asio::error::eof;
  co_return attempt_of(Stage::hold, error);
}

asio::awaitable<Attempt> PlainSession::close() {
  const error_code error = co_await within(context_.plan().close_timeout, context_.handle,
                                           say_goodbye(), error_code(asio::error::timed_out));
  context_.outcome.server_closed = error == asio::error::eof;
  context_.outcome.close_timed_out = error == asio::error::timed_out;
  if (context_.outcome.server_closed || context_.outcome.close_timed_out) co_return std::nullopt;
  co_return failure_of(Stage::close, error);
}

}  // namespace ebbtide
