// Answers: how many seconds lie between two times of a recording?
#pragma once

#include <cstdint>

namespace ebbtide {

// 0 when the end is not after the start: it did not happen, or the file is damaged.
inline double span_seconds(std::uint64_t start_ns, std::uint64_t end_ns) {
  return end_ns > start_ns ? static_cast<double>(end_ns - start_ns) * 1e-9 : 0;
}

}  // namespace ebbtide
