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

#include "driver/plan.h"
#include "recording/result.h"
#include "recording/run.h"

namespace ebbtide {

// Live counts, for progress.
struct CohortStatus {
  std::uint32_t opening = 0;
  std::uint32_t established = 0;  // up now
  std::uint32_t failed = 0;
  std::uint32_t finished = 0;  // closed after having been established
};

// Connections of one cycle. Lives on one executor's thread. Destroy only after close() returned.
class Cohort {
 public:
  // Connections get the ids first_id, first_id + 1, … `endpoints` come from resolve(); each
  // connection tries them in that order.
  Cohort(boost::asio::any_io_executor executor, ConnectionPlan plan,
         std::vector<boost::asio::ip::tcp::endpoint> endpoints, std::uint32_t cycle,
         std::uint64_t first_id);
  ~Cohort();
  Cohort(const Cohort&) = delete;
  Cohort& operator=(const Cohort&) = delete;

  // Starts `count` connections, at most `window` of them opening at once; returns when each is
  // established or has failed.
  boost::asio::awaitable<void> open(std::uint32_t count, std::uint32_t window);

  // Closes all that are up (close handshake, then the server's FIN, each within close_timeout) and
  // returns when every coroutine has ended.
  boost::asio::awaitable<void> close();

  // Makes open() and close() return soon: every pending operation is aborted.
  void abort();

  [[nodiscard]] CohortStatus status() const;

  // One per connection, by id; complete once close() has returned.
  [[nodiscard]] const std::vector<Connection>& outcomes() const;

 private:
  struct State;
  static void start_one(const std::shared_ptr<State>& state);

  std::shared_ptr<State> state_;
};

}  // namespace ebbtide
