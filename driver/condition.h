// Answers: how does a coroutine wait for something that another one of the same thread will do?
#pragma once

#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/as_tuple.hpp>
#include <boost/asio/awaitable.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/use_awaitable.hpp>

namespace ebbtide {

// A condition variable for coroutines: whoever changes what a predicate reads calls notify().
class Condition {
 public:
  explicit Condition(const boost::asio::any_io_executor& executor)
      : timer_(executor, boost::asio::steady_timer::time_point::max()) {}

  template <class Predicate>
  boost::asio::awaitable<void> until(Predicate holds) {
    while (!holds()) {
      co_await timer_.async_wait(boost::asio::as_tuple(boost::asio::use_awaitable));
    }
  }

  void notify() { timer_.cancel(); }

 private:
  boost::asio::steady_timer timer_;  // never expires; cancelling it wakes all who wait
};

}  // namespace ebbtide
