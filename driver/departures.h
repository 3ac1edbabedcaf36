// Answers: when does the server let go of a connection that nobody reads?
#pragma once

#include <boost/asio/any_io_executor.hpp>
#include <memory>

#include "driver/condition.h"

namespace ebbtide {

struct Departure {
  explicit Departure(Condition& told) : changed(told) {}
  Condition& changed;  // notified when the server went
  bool gone = false;   // its FIN or RST came
  bool reset = false;  // it was an RST
};

// One epoll set for all unread connections of a cohort: Asio's own cannot be asked for the peer's
// FIN alone. A FIN that the server queued behind data for which there is no room comes late or
// never: the kernel takes it in order.
class Departures {
 public:
  Departures();
  ~Departures();
  Departures(Departures&&) noexcept;
  Departures& operator=(Departures&&) = delete;

  // `departure` outlives the open socket, or unwatch() comes first.
  void watch(const boost::asio::any_io_executor& executor, int socket, Departure& departure);
  void unwatch(int socket);

 private:
  struct EpollSet;
  std::shared_ptr<EpollSet> set_;  // null until the first watch()
};

}  // namespace ebbtide
