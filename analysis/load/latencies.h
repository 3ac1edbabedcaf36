// Answers: how are many latencies told in five numbers?
#pragma once

#include <cstdint>
#include <vector>

#include "recording/run.h"

namespace ebbtide {

// Quantiles in seconds; all 0 when count is.
struct Latencies {
  std::uint64_t count = 0;
  double p50 = 0;
  double p90 = 0;
  double p99 = 0;
  double p999 = 0;
  double max = 0;
  double sum = 0;
};

// Exact: the smallest value that the share of all do not exceed, so each is one that was measured.
Latencies latencies_of(std::vector<double> seconds);

// Of the cycle's buckets: each quantile is the upper bound of its bucket, at most 1/128 too large.
Latencies latencies_of(const Recording& recording, std::uint32_t cycle, LatencyKind kind);

}  // namespace ebbtide
