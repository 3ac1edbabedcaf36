#include "driver/plain_session.h"

#include <boost/asio/buffer.hpp>
#include <boost/asio/experimental/awaitable_operators.hpp>

#include "driver/deadline.h"
#include "driver/ending.h"

namespace ebbtide {

namespace asio = boost::asio;
using namespace asio::experimental::awaitable_operators;
using boost::system::error_code;

asio::awaitable<error_code> PlainSession::read_to_end() {
  for (;;) {
    const auto [error, size] =
        co_await transport_.async_read_some(asio::buffer(context_.cohort.discarded), as_value);
    context_.count_received_bytes(size);
    if (error) co_return translated(error);
  }
}

asio::awaitable<error_code> PlainSession::say_goodbye() {
  co_await transport_.shut_down();
  co_return co_await read_to_end();
}

asio::awaitable<Attempt> PlainSession::hold() {
  ConnectionHandle& handle = context_.handle;
  if (context_.outcome.slow) co_return co_await hold_unread(context_);
  const auto first =
      co_await (read_to_end() || handle.changed.until([&] { return handle.leaving; }));
  const auto* error = std::get_if<0>(&first);
  if (error == nullptr) co_return std::nullopt;
  context_.outcome.server_closed = *error == asio::error::eof;
  co_return failure_of(Stage::hold, *error);
}

asio::awaitable<Attempt> PlainSession::close() {
  const error_code error = co_await within(context_.plan().close_timeout, context_.handle.socket,
                                           say_goodbye(), error_code(asio::error::timed_out));
  context_.outcome.server_closed = error == asio::error::eof;
  context_.outcome.close_timed_out = error == asio::error::timed_out;
  if (context_.outcome.server_closed || context_.outcome.close_timed_out) co_return std::nullopt;
  co_return failure_of(Stage::close, error);
}

}  // namespace ebbtide
