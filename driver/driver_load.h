// Answers: what did a stretch of time cost the driver itself, and what passed through it?
#pragma once

#include <cstdint>

#include "recording/load.h"

namespace ebbtide {

// What has passed through connections so far: messages and their bytes, without framing. For tcp a
// read is no message.
struct Traffic {
  std::uint64_t messages_sent = 0;
  std::uint64_t messages_received = 0;
  std::uint64_t bytes_sent = 0;
  std::uint64_t bytes_received = 0;

  Traffic& operator+=(const Traffic& other) {
    messages_sent += other.messages_sent;
    messages_received += other.messages_received;
    bytes_sent += other.bytes_sent;
    bytes_received += other.bytes_received;
    return *this;
  }
};

struct DriverMoment {
  std::uint64_t ns = 0;
  std::uint64_t cpu_ns = 0;  // of the calling thread, the one that runs the cohorts
  Traffic traffic;
};

DriverMoment driver_moment(const Traffic& so_far);

// `from` and `to` were taken on the same thread, of the same traffic.
DriverLoad driver_load(std::uint32_t cycle, Phase phase, const DriverMoment& from,
                       const DriverMoment& to);

}  // namespace ebbtide
