// Answers: how long may one operation on a connection take? `co_await within(limit, handle,
// operation, if_late)`.
#pragma once

#include <boost/asio/as_tuple.hpp>
#include <boost/asio/awaitable.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <chrono>
#include <memory>
#include <utility>

#include "driver/session.h"

namespace ebbtide {

// Completes with {error_code, …}: an exception for each failed or cancelled operation would cost
// more than the operation.
inline constexpr auto as_value = boost::asio::as_tuple(boost::asio::use_awaitable);

// Shuts a connection when the limit has passed. Its end may come while the timer's handler is
// already under way: the two share what both look at.
class Deadline {
 public:
  Deadline(std::chrono::milliseconds limit, ConnectionHandle& handle)
      : watch_(std::make_shared<Watch>(handle.socket.get_executor(), limit)) {
    watch_->timer.async_wait([watch = watch_, &handle](const boost::system::error_code& cancelled) {
      if (cancelled || watch->over) return;
      watch->passed = true;
      handle.shut();
    });
  }
  ~Deadline() {
    watch_->over = true;
    watch_->timer.cancel();
  }
  Deadline(const Deadline&) = delete;
  Deadline& operator=(const Deadline&) = delete;

  [[nodiscard]] bool passed() const { return watch_->passed; }

 private:
  struct Watch {
    Watch(const boost::asio::any_io_executor& executor, std::chrono::milliseconds limit)
        : timer(executor, limit) {}
    boost::asio::steady_timer timer;
    bool over = false;
    bool passed = false;
  };
  std::shared_ptr<Watch> watch_;
};

// The operation's own result, or `if_late` when the limit passed first; the socket is closed then,
// which ends whatever the operation waits for.
template <class T>
boost::asio::awaitable<T> within(std::chrono::milliseconds limit, ConnectionHandle& handle,
                                 boost::asio::awaitable<T> operation, T if_late) {
  const Deadline deadline(limit, handle);
  T result = co_await std::move(operation);
  if (deadline.passed()) co_return if_late;
  co_return result;
}

}  // namespace ebbtide
