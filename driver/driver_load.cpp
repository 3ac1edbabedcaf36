#include "driver/driver_load.h"

#include <ctime>

#include "recording/clock.h"

namespace ebbtide {

DriverMoment driver_moment(const Traffic& so_far) {
  timespec used{};
  clock_gettime(CLOCK_THREAD_CPUTIME_ID, &used);
  return {.ns = monotonic_ns(),
          .cpu_ns = static_cast<std::uint64_t>(used.tv_sec) * 1'000'000'000 +
                    static_cast<std::uint64_t>(used.tv_nsec),
          .traffic = so_far};
}

DriverLoad driver_load(std::uint32_t cycle, Phase phase, const DriverMoment& from,
                       const DriverMoment& to) {
  return {.cycle = cycle,
          .phase = phase,
          .span_ns = to.ns - from.ns,
          .cpu_ns = to.cpu_ns - from.cpu_ns,
          .messages_sent = to.traffic.messages_sent - from.traffic.messages_sent,
          .messages_received = to.traffic.messages_received - from.traffic.messages_received,
          .bytes_received = to.traffic.bytes_received - from.traffic.bytes_received};
}

}  // namespace ebbtide
