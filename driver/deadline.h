// Answers: how long may one operation take? `co_await within(limit, operation, if_late)`.
#pragma once

#include <boost/asio/awaitable.hpp>
#include <boost/asio/experimental/awaitable_operators.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/this_coro.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <chrono>
#include <utility>
#include <variant>

namespace ebbtide {

// The operation's own result, or `if_late` when the limit passed first; the operation has then
// been cancelled. An operation reports its errors in T: an exception would not end the wait.
template <class T>
boost::asio::awaitable<T> within(std::chrono::milliseconds limit,
                                 boost::asio::awaitable<T> operation, T if_late) {
  using namespace boost::asio::experimental::awaitable_operators;
  boost::asio::steady_timer deadline(co_await boost::asio::this_coro::executor, limit);
  auto first = co_await (std::move(operation) || deadline.async_wait(boost::asio::use_awaitable));
  if (auto* result = std::get_if<0>(&first)) co_return std::move(*result);
  co_return if_late;
}

}  // namespace ebbtide
