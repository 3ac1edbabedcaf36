// Answers: what do a few noisy numbers say? Pure and reproducible: seeds are arguments and the
// generator is our own, because the standard library's distributions differ between
// implementations.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <vector>

namespace ebbtide {

struct Interval {
  double low = 0;
  double high = 0;
};

// SplitMix64 (Steele, Lea, Flood: Fast Splittable Pseudorandom Number Generators, OOPSLA 2014).
class SplitMix64 {
 public:
  explicit SplitMix64(std::uint64_t seed) : state_(seed) {}
  std::uint64_t next();
  std::size_t below(std::size_t bound);  // uniform in [0, bound); bound > 0
  double unit();                         // uniform in [0, 1)

 private:
  std::uint64_t state_;
};

// The middle value, the mean of the two middle ones for an even count, 0 for none.
double median(std::vector<double> values);

// Median absolute deviation times 1.4826, which estimates the standard deviation of a normal
// sample (Hampel 1974). 0 for none.
double scaled_mad(std::span<const double> values);

// The value below which `share` (0…1) of `sorted` lies, interpolated; 0 for none.
double percentile(const std::vector<double>& sorted, double share);

struct Sample {
  double x = 0;
  double y = 0;
};

// The median of the slopes of all pairs with different x (Theil 1950, Sen 1968): up to 29 % of the
// samples may be anything. Nothing when no two x differ. Costs n² / 2.
std::optional<double> theil_sen(std::span<const Sample> samples);

// The change of a floor from one settle point to the next.
struct FloorStep {
  double connections = 0;
  double seconds = 0;
  double growth = 0;
  double dose_change = 0;  // of the last cycle with connections against the one before
};

// What the clock adds by itself, from stretches without connections.
struct Drift {
  double per_second = 0;  // 0 unless believed
  bool believed = false;
  std::vector<double> rates;  // per second, one per idle stretch
};

// The median rate, believed when at least two stretches grew and agree: none differs from another
// by more than the median, and that is more than twice the `noise` of a step, in the unit of its
// growth. A falling idle stretch is late release, not a clock that takes memory
// away, and makes no drift: subtracting it would turn a flat floor into a leak.
Drift idle_drift(std::span<const FloorStep> idle, double noise);

// How many leading steps are warm-up: the first always, and further ones while their growth per
// connection exceeds the median of all later ones by both 3.5 scaled MADs (Iglewicz and Hoaglin
// 1993) and `floor`; at most half, and three steps always stay. 0 when there are none.
std::size_t warm_up_steps(std::span<const double> growth_per_connection, double floor);

// Interval of `count / trials` (Clopper and Pearson 1934). More counts than trials are read as
// several chances a trial. {0, 0} when trials is 0.
Interval share_interval(double count, double trials, double confidence);

}  // namespace ebbtide
