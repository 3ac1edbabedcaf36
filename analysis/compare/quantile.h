// Answers: between which bounds does a quantile of latencies lie, and how many does it take to say
// so? Distribution-free: by the ranks that a binomial count leaves open.
#pragma once

#include <cstdint>
#include <optional>
#include <vector>

#include "analysis/compare/paired_figure.h"

namespace ebbtide {

// A latency and how many had it.
struct LatencyCount {
  double seconds = 0;
  std::uint64_t count = 0;
};

// The value that `share` of the latencies do not exceed, with its interval; `independent` of them
// count for that (messages of one broadcast are late together). Nothing when those are too few for
// both bounds: 368 for p99 at a confidence of 0.95.
std::optional<Estimate> quantile_estimate(std::vector<LatencyCount> latencies, double share,
                                          double independent, double confidence);

}  // namespace ebbtide
