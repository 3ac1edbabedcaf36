#include "analysis/design.h"

#include <array>
#include <cmath>
#include <cstdlib>

namespace ebbtide {
namespace {

constexpr std::uint32_t least_varied_mean = 5;

bool is_prime(std::uint32_t number) {
  if (number < 2) return false;
  for (std::uint32_t divisor = 2; divisor * divisor <= number; ++divisor) {
    if (number % divisor == 0) return false;
  }
  return true;
}

// The smaller of two that are equally near.
std::uint32_t nearest_prime(double target) {
  const auto center = static_cast<std::uint32_t>(std::lround(target));
  std::uint32_t best = 2;
  for (std::uint32_t prime = 2; prime <= 2 * center + 2; ++prime) {
    if (std::abs(prime - target) < std::abs(best - target) && is_prime(prime)) best = prime;
  }
  return best;
}

struct Doses {
  std::uint32_t first = 0;
  std::uint32_t low = 0;
  std::uint32_t middle = 0;
  std::uint32_t high = 0;
};

Doses doses_around(std::uint32_t mean) {
  if (mean < least_varied_mean) return {mean, mean, mean, mean};
  Doses doses;
  doses.first = nearest_prime(mean);
  doses.low = nearest_prime(mean * 3 / 7.0);
  doses.middle = nearest_prime(mean * 6 / 7.0);
  doses.high = nearest_prime(3.0 * mean - doses.low - doses.middle);
  return doses;
}

std::uint32_t dose_of(std::uint32_t cycle, const Doses& doses) {
  // Of all orders of three blocks the one without linear trend and with the least correlation
  // between neighbours.
  const auto& [first, low, middle, high] = doses;
  const std::array order = {middle, high, low, low, middle, high, high, low, middle};
  return cycle == 1 ? first : order[(cycle - 2) % order.size()];
}

}  // namespace

std::vector<std::uint32_t> plan_doses(std::uint32_t first, std::uint32_t last, std::uint32_t mean) {
  const Doses around = doses_around(mean);
  const std::uint32_t middle = first == 1 ? last / 2 : first + (last - first) / 2;
  std::vector<std::uint32_t> doses;
  for (std::uint32_t cycle = first; cycle <= last; ++cycle) {
    doses.push_back(dose_of(cycle, around));
    if (cycle == 1 || cycle == middle || cycle == last) doses.push_back(0);
  }
  return doses;
}

std::vector<std::uint32_t> plan_doses(std::uint32_t cycles, std::uint32_t mean) {
  return plan_doses(1, cycles, mean);
}

}  // namespace ebbtide
