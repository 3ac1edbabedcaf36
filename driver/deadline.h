// Answers: how long may one operation on a socket take? `co_await within(limit, socket, operation,
// if_late)`.
#pragma once

#include <boost/asio/as_tuple.hpp>
#include <boost/asio/awaitable.hpp>
#include <boost/asio/experimental/awaitable_operators.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/this_coro.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <chrono>
#include <utility>
#include <variant>

namespace ebbtide {

// Completes with {error_code, …}: an exception for each failed or cancelled operation would cost
// more than the operation.
inline constexpr auto as_value = boost::asio::as_tuple(boost::asio::use_awaitable);

// Closes the socket when the limit has passed, and says so. Cancelling would not do: Beast's
// WebSocket teardown goes on waiting for a FIN when it is cancelled; only a closed socket ends it.
inline boost::asio::awaitable<void> close_after(std::chrono::milliseconds limit,
                                                boost::asio::ip::tcp::socket& socket,
                                                bool& passed) {
  boost::asio::steady_timer deadline(co_await boost::asio::this_coro::executor, limit);
  const auto [cancelled] = co_await deadline.async_wait(as_value);
  if (cancelled) co_return;
  passed = true;
  boost::system::error_code ignored;
  socket.close(ignored);
}

// The operation's own result, or `if_late` when the limit passed first; the socket is closed then.
// An operation reports its errors in T: an exception would not end the wait.
template <class T>
boost::asio::awaitable<T> within(std::chrono::milliseconds limit,
                                 boost::asio::ip::tcp::socket& socket,
                                 boost::asio::awaitable<T> operation, T if_late) {
  using namespace boost::asio::experimental::awaitable_operators;
  bool passed = false;
  auto first = co_await (std::move(operation) || close_after(limit, socket, passed));
  if (passed) co_return if_late;
  co_return std::get<0>(std::move(first));
}

}  // namespace ebbtide
