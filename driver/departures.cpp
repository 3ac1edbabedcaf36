#include "driver/departures.h"

#include <sys/epoll.h>

#include <array>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/posix/stream_descriptor.hpp>
#include <exception>

#include "driver/deadline.h"

namespace ebbtide {

namespace asio = boost::asio;

struct Departures::EpollSet {
  explicit EpollSet(const asio::any_io_executor& executor)
      : descriptor(executor, epoll_create1(EPOLL_CLOEXEC)) {}

  void take_events() {
    std::array<epoll_event, 64> events{};
    int count = 0;
    do {
      count = epoll_wait(descriptor.native_handle(), events.data(), events.size(), 0);
      for (int i = 0; i < count; ++i) {
        Departure& departure = *static_cast<Departure*>(events[i].data.ptr);
        departure.gone = true;
        departure.reset = (events[i].events & EPOLLERR) != 0;
        departure.changed.notify();
      }
    } while (count == static_cast<int>(events.size()));
  }

  // Until the descriptor is closed.
  static asio::awaitable<void> serve(std::shared_ptr<EpollSet> set) {
    for (;;) {
      const auto [error] =
          co_await set->descriptor.async_wait(asio::posix::descriptor_base::wait_read, as_value);
      if (error) co_return;
      set->take_events();
    }
  }

  asio::posix::stream_descriptor descriptor;
};

Departures::Departures() = default;
Departures::Departures(Departures&&) noexcept = default;

Departures::~Departures() {
  if (set_) set_->descriptor.close();
}

void Departures::watch(const asio::any_io_executor& executor, int socket, Departure& departure) {
  if (!set_) {
    set_ = std::make_shared<EpollSet>(executor);
    asio::co_spawn(executor, EpollSet::serve(set_), [](const std::exception_ptr& fault) {
      if (fault) std::rethrow_exception(fault);
    });
  }
  epoll_event event{};
  event.events = EPOLLRDHUP | EPOLLET;
  event.data.ptr = &departure;
  epoll_ctl(set_->descriptor.native_handle(), EPOLL_CTL_ADD, socket, &event);
}

void Departures::unwatch(int socket) {
  if (set_ && socket >= 0) {
    epoll_ctl(set_->descriptor.native_handle(), EPOLL_CTL_DEL, socket, nullptr);
  }
}

}  // namespace ebbtide
