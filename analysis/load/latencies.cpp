#include "analysis/load/latencies.h"

#include <algorithm>
#include <cmath>

namespace ebbtide {
namespace {

// A share of the latencies, or fewer, are at most this.
struct Step {
  double seconds = 0;
  std::uint64_t count = 0;
};

Latencies from_steps(const std::vector<Step>& steps, std::uint64_t count) {
  Latencies latencies;
  if (count == 0) return latencies;
  const auto at = [&](double share) {
    const auto rank = static_cast<std::uint64_t>(std::ceil(share * static_cast<double>(count)));
    std::uint64_t passed = 0;
    for (const Step& step : steps) {
      passed += step.count;
      if (passed >= std::max<std::uint64_t>(rank, 1)) return step.seconds;
    }
    return steps.back().seconds;
  };
  latencies = {count, at(0.5), at(0.9), at(0.99), at(0.999), steps.back().seconds, 0};
  for (const Step& step : steps) latencies.sum += step.seconds * static_cast<double>(step.count);
  return latencies;
}

}  // namespace

Latencies latencies_of(std::vector<double> seconds) {
  std::ranges::sort(seconds);
  std::vector<Step> steps;
  steps.reserve(seconds.size());
  for (const double value : seconds) steps.push_back({value, 1});
  return from_steps(steps, seconds.size());
}

Latencies latencies_of(const Recording& recording, std::uint32_t cycle, LatencyKind kind) {
  std::vector<LatencyBucket> buckets;
  for (const LatencyBucket& bucket : recording.latencies) {
    if (bucket.cycle == cycle && bucket.kind == kind && bucket.count > 0) buckets.push_back(bucket);
  }
  std::ranges::sort(buckets, {}, &LatencyBucket::lower_ns);
  std::vector<Step> steps;
  std::uint64_t count = 0;
  double sum = 0;
  for (const LatencyBucket& bucket : buckets) {
    steps.push_back({static_cast<double>(bucket.upper_ns) * 1e-9, bucket.count});
    count += bucket.count;
    const double middle =
        0.5 * (static_cast<double>(bucket.lower_ns) + static_cast<double>(bucket.upper_ns));
    sum += middle * 1e-9 * static_cast<double>(bucket.count);
  }
  Latencies latencies = from_steps(steps, count);
  latencies.sum = sum;
  return latencies;
}

}  // namespace ebbtide
