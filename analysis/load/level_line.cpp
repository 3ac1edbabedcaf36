#include "analysis/load/level_line.h"

#include <algorithm>
#include <boost/math/distributions/students_t.hpp>
#include <cmath>
#include <set>
#include <utility>
#include <vector>

namespace ebbtide {
namespace {

double weighted_slope(std::span<const Sample> samples) {
  std::vector<std::pair<double, double>> slopes;  // slope, weight
  double total = 0;
  for (std::size_t i = 0; i < samples.size(); ++i) {
    for (std::size_t j = i + 1; j < samples.size(); ++j) {
      const double run = samples[j].x - samples[i].x;
      if (run == 0) continue;
      slopes.emplace_back((samples[j].y - samples[i].y) / run, std::abs(run));
      total += std::abs(run);
    }
  }
  std::ranges::sort(slopes);
  double passed = 0;
  for (const auto& [slope, weight] : slopes) {
    passed += weight;
    if (passed * 2 >= total) return slope;
  }
  return 0;
}

double half_width(std::span<const Sample> samples, const LevelLine& line, double confidence) {
  const auto n = static_cast<double>(samples.size());
  double mean = 0;
  for (const Sample& sample : samples) mean += sample.x / n;
  double spread = 0;
  double scatter = 0;
  for (const Sample& sample : samples) {
    const double residual = sample.y - line.intercept - line.slope * sample.x;
    scatter += residual * residual;
    spread += (sample.x - mean) * (sample.x - mean);
  }
  const boost::math::students_t distribution(n - 2);
  const double t = quantile(complement(distribution, (1 - confidence) / 2));
  return t * std::sqrt(scatter / (n - 2) / spread);
}

}  // namespace

std::optional<LevelLine> level_line(std::span<const Sample> samples, double confidence) {
  std::set<double> different;
  for (const Sample& sample : samples) different.insert(sample.x);
  if (different.size() < 3) return std::nullopt;
  LevelLine line;
  line.slope = weighted_slope(samples);
  std::vector<double> offsets;
  for (const Sample& sample : samples) offsets.push_back(sample.y - line.slope * sample.x);
  line.intercept = median(std::move(offsets));
  const double half = half_width(samples, line, confidence);
  line.interval = {line.slope - half, line.slope + half};
  return line;
}

}  // namespace ebbtide
