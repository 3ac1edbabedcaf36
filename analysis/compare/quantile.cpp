#include "analysis/compare/quantile.h"

#include <algorithm>
#include <boost/math/distributions/binomial.hpp>
#include <boost/math/distributions/complement.hpp>
#include <cmath>

namespace ebbtide {
namespace {

double at_share(const std::vector<LatencyCount>& sorted, std::uint64_t count, double share) {
  const double rank = std::max(1.0, std::ceil(share * static_cast<double>(count) - 1e-9));
  double passed = 0;
  for (const LatencyCount& latency : sorted) {
    passed += static_cast<double>(latency.count);
    if (passed >= rank) return latency.seconds;
  }
  return sorted.back().seconds;
}

}  // namespace

std::optional<Estimate> quantile_estimate(std::vector<LatencyCount> latencies, double share,
                                          double independent, double confidence) {
  std::uint64_t count = 0;
  for (const LatencyCount& latency : latencies) count += latency.count;
  const double n = std::floor(std::min(independent, static_cast<double>(count)));
  const double tail = (1 - confidence) / 2;
  // No rank bounds the quantile from below, or from above, by that many.
  if (n < 1 || std::pow(share, n) > tail || std::pow(1 - share, n) > tail) return std::nullopt;
  std::ranges::sort(latencies, {}, &LatencyCount::seconds);
  const boost::math::binomial ranks(n, share);
  const double low = std::max(1.0, std::floor(quantile(ranks, tail)));
  const double high = std::min(n, std::ceil(quantile(boost::math::complement(ranks, tail))) + 1);
  return Estimate{
      at_share(latencies, count, share),
      Interval{at_share(latencies, count, low / n), at_share(latencies, count, high / n)}};
}

}  // namespace ebbtide
