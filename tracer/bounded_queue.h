// Answers: how do two threads hand work over without growing memory? A full queue makes the
// producer wait; an eventfd tells the consumer, who also waits for other things.
#pragma once

#include <sys/eventfd.h>
#include <unistd.h>

#include <condition_variable>
#include <cstddef>
#include <cstdint>
#include <deque>
#include <mutex>
#include <utility>

namespace ebbtide {

template <class T>
class BoundedQueue {
 public:
  explicit BoundedQueue(std::size_t capacity)
      : capacity_(capacity), ready_fd_(eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK)) {}
  ~BoundedQueue() { close(ready_fd_); }
  BoundedQueue(const BoundedQueue&) = delete;
  BoundedQueue& operator=(const BoundedQueue&) = delete;

  void push(T item) {
    {
      std::unique_lock lock(mutex_);
      room_.wait(lock, [this] { return items_.size() < capacity_; });
      items_.push_back(std::move(item));
    }
    const std::uint64_t one = 1;
    [[maybe_unused]] const auto written = write(ready_fd_, &one, sizeof one);
  }

  // Everything pushed so far, in order; does not wait.
  std::deque<T> take_all() {
    std::uint64_t signals = 0;
    [[maybe_unused]] const auto got = read(ready_fd_, &signals, sizeof signals);
    std::deque<T> items;
    {
      const std::scoped_lock lock(mutex_);
      items.swap(items_);
    }
    room_.notify_all();
    return items;
  }

  // Readable while items may be waiting.
  [[nodiscard]] int ready_fd() const { return ready_fd_; }

 private:
  std::size_t capacity_;
  int ready_fd_;
  std::mutex mutex_;
  std::condition_variable room_;
  std::deque<T> items_;
};

}  // namespace ebbtide
