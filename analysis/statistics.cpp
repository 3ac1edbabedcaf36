#include "analysis/statistics.h"

#include <algorithm>
#include <boost/math/distributions/binomial.hpp>
#include <cmath>
#include <numeric>

namespace ebbtide {
namespace {

constexpr double mad_to_deviation = 1.4826;
constexpr double outlier_mads = 3.5;
constexpr double noise_factor = 2;
constexpr std::size_t steps_kept = 3;

// Median of `values`, which it reorders.
double median_in_place(std::vector<double>& values) {
  if (values.empty()) return 0;
  const auto middle = values.begin() + static_cast<std::ptrdiff_t>(values.size() / 2);
  std::nth_element(values.begin(), middle, values.end());
  if (values.size() % 2 == 1) return *middle;
  return std::midpoint(*std::max_element(values.begin(), middle), *middle);
}

// `slopes` is scratch, kept by the caller so that a bootstrap does not allocate per resample.
std::optional<double> theil_sen(std::span<const Sample> samples, std::vector<double>& slopes) {
  slopes.clear();
  for (std::size_t i = 0; i < samples.size(); ++i) {
    for (std::size_t j = i + 1; j < samples.size(); ++j) {
      const double run = samples[j].x - samples[i].x;
      if (run != 0) slopes.push_back((samples[j].y - samples[i].y) / run);
    }
  }
  if (slopes.empty()) return std::nullopt;
  return median_in_place(slopes);
}

}  // namespace

std::uint64_t SplitMix64::next() {
  std::uint64_t z = (state_ += 0x9e3779b97f4a7c15);
  z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9;
  z = (z ^ (z >> 27)) * 0x94d049bb133111eb;
  return z ^ (z >> 31);
}

std::size_t SplitMix64::below(std::size_t bound) {
  // Lemire's multiply-shift; the bias of at most bound / 2^64 is nothing for a bootstrap.
  return static_cast<std::size_t>((static_cast<unsigned __int128>(next()) * bound) >> 64);
}

double SplitMix64::unit() { return static_cast<double>(next() >> 11) * 0x1.0p-53; }

double median(std::vector<double> values) { return median_in_place(values); }

double scaled_mad(std::span<const double> values) {
  std::vector<double> deviations(values.begin(), values.end());
  const double center = median(deviations);
  for (double& value : deviations) value = std::abs(value - center);
  return mad_to_deviation * median_in_place(deviations);
}

double percentile(const std::vector<double>& sorted, double share) {
  if (sorted.empty()) return 0;
  const double rank = share * static_cast<double>(sorted.size() - 1);
  const auto below = static_cast<std::size_t>(rank);
  const std::size_t above = std::min(below + 1, sorted.size() - 1);
  return std::lerp(sorted[below], sorted[above], rank - static_cast<double>(below));
}

std::optional<double> theil_sen(std::span<const Sample> samples) {
  std::vector<double> slopes;
  return theil_sen(samples, slopes);
}

Drift idle_drift(std::span<const FloorStep> idle, double noise) {
  Drift drift;
  std::vector<double> growth;
  for (const FloorStep& stretch : idle) {
    if (stretch.seconds <= 0) continue;
    drift.rates.push_back(stretch.growth / stretch.seconds);
    growth.push_back(stretch.growth);
  }
  if (drift.rates.size() < 2) return drift;
  const auto [least, most] = std::minmax_element(drift.rates.begin(), drift.rates.end());
  const double middle = median(drift.rates);
  drift.believed =
      *least > 0 && *most - *least <= middle && median(std::move(growth)) > noise_factor * noise;
  if (drift.believed) drift.per_second = middle;
  return drift;
}

std::size_t warm_up_steps(std::span<const double> growth_per_connection, double floor) {
  const std::size_t n = growth_per_connection.size();
  if (n == 0) return 0;
  const std::size_t most = n > steps_kept ? std::min(n / 2, n - steps_kept) : 1;
  std::size_t steps = 1;
  while (steps < most) {
    const auto later = growth_per_connection.subspan(steps + 1);
    const double excess =
        growth_per_connection[steps] - median(std::vector<double>(later.begin(), later.end()));
    if (excess <= floor || excess <= outlier_mads * scaled_mad(later)) break;
    ++steps;
  }
  return steps;
}

Interval share_interval(double count, double trials, double confidence) {
  if (trials <= 0) return {};
  using boost::math::binomial;
  const double chances = std::max(1.0, std::ceil(count / trials));
  const double tail = (1 - confidence) / 2;
  const double all = trials * chances;
  const double low = count <= 0 ? 0 : binomial::find_lower_bound_on_p(all, count, tail);
  const double high = count >= all ? 1 : binomial::find_upper_bound_on_p(all, count, tail);
  return {low * chances, high * chances};
}

}  // namespace ebbtide
