// Answers: has the target come to rest? Settling replaces sleeping: a phase is over when the
// cycle's sockets are gone and nothing has moved for a short while, or when the cap is reached.
#pragma once

#include <boost/asio/awaitable.hpp>
#include <chrono>
#include <cstdint>
#include <functional>

#include "tracer/tracer.h"

namespace ebbtide {

struct SettleRule {
  std::chrono::milliseconds cap{3000};
  std::chrono::milliseconds window{20};      // one look at the target
  std::uint32_t quiet_windows = 5;           // so many in a row with nothing moving
  bool sockets_gone = true;                  // also wait for the cycle's sockets to go
  std::uint64_t rss_threshold = 256 * 1024;  // bytes of RSS change that count as moving
};

struct Settled {
  bool hit_cap = false;
  std::uint32_t sockets_left = 0;  // of this cycle
};

// `stop` ends the wait early, `tick` is called at every look.
boost::asio::awaitable<Settled> wait_until_settled(const Tracer& tracer, SettleRule rule,
                                                   std::function<bool()> stop,
                                                   std::function<void(const Activity&)> tick);

}  // namespace ebbtide
