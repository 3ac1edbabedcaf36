// Answers: how do the connections of one cycle come up together, stay, and go together?
// One connection is one coroutine (connection.cpp); the cohort only opens the gate between
// phases.
#pragma once

#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/awaitable.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <cstdint>
#include <memory>
#include <vector>

#include "driver/driver_load.h"
#include "driver/observer.h"
#include "driver/plan.h"
#include "recording/result.h"
#include "recording/run.h"

namespace ebbtide {

// How fast connections are opened.
struct OpenOptions {
  std::uint32_t count = 1;
  std::uint32_t window = 10;  // at most so many opening at once; 0: no limit, all at once
  // Per second, on a schedule that no slow server delays (Connection::scheduled_ns); 0: none, each
  // as soon as the window has room.
  double rate = 0;
};

// Live counts, for progress.
struct CohortStatus {
  std::uint32_t opening = 0;
  std::uint32_t established = 0;  // up now
  std::uint32_t failed = 0;       // before they were established
  std::uint32_t finished = 0;     // closed after having been established, or ended as planned
  Traffic traffic;
};

// Connections of one cycle. Lives on one executor's thread. Destroy only after close() returned.
class Cohort {
 public:
  // Connections get the ids first_id, first_id + 1, … `endpoints` come from resolve(); each
  // connection tries them in that order. `observer`, if any, outlives the cohort; with one, each
  // message is read as a whole (ws and wss).
  Cohort(boost::asio::any_io_executor executor, ConnectionPlan plan,
         std::vector<boost::asio::ip::tcp::endpoint> endpoints, std::uint32_t cycle,
         std::uint64_t first_id, ConnectionObserver* observer = nullptr);
  ~Cohort();
  Cohort(const Cohort&) = delete;
  Cohort& operator=(const Cohort&) = delete;

  // Connection k of a schedule starts at k/rate seconds from now, or later when the window is full.
  // Returns when each connection is established, has failed, or has ended as its close mode says.
  boost::asio::awaitable<void> open(OpenOptions options);
  boost::asio::awaitable<void> open(std::uint32_t count, std::uint32_t window) {
    return open({.count = count, .window = window});
  }

  // Closes all that are up in the plan's close mode and returns when every coroutine has ended:
  // after close_timeout at the latest, in the mode half_open after half_open_limit.
  boost::asio::awaitable<void> close();

  // Makes open() and close() return soon: every pending operation is aborted.
  void abort();

  [[nodiscard]] CohortStatus status() const;

  // One per connection, by id; complete once close() has returned.
  [[nodiscard]] const std::vector<Connection>& outcomes() const;

 private:
  struct State;
  static boost::asio::awaitable<void> until_due(std::shared_ptr<State> state, std::uint64_t due_ns);
  static void start_one(const std::shared_ptr<State>& state, std::uint64_t scheduled_ns);

  std::shared_ptr<State> state_;
};

}  // namespace ebbtide
