// Answers: what time is it on the one clock of a recording, which driver, tracer and kernel share?
#pragma once

#include <chrono>
#include <cstdint>

namespace ebbtide {

// Nanoseconds of CLOCK_MONOTONIC, as bpf_ktime_get_ns() counts them.
inline std::uint64_t monotonic_ns() {
  const auto now = std::chrono::steady_clock::now().time_since_epoch();
  return static_cast<std::uint64_t>(
      std::chrono::duration_cast<std::chrono::nanoseconds>(now).count());
}

}  // namespace ebbtide
