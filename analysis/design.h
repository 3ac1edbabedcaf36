// Answers: how many connections does each cycle of a leak run make, and when does it make none?
// A designed experiment: doses differ between cycles and some stretches are idle, so that growth
// per connection, per cycle and per second can be told apart (docs/method.md).
#pragma once

#include <cstdint>
#include <vector>

namespace ebbtide {

// Cycles `first` to `last`, counted from 1, idle ones (0) not counted. The first cycle makes about
// `mean` connections and warms the target up; the others 3/7, 6/7 and 12/7 of it, rounded to
// primes: what is left k times per connection then stands out in every count. The order repeats
// every nine cycles, within which doses are uncorrelated with time and hardly with the dose before.
// A mean below 5 leaves no room for that: every dose is then the mean. An idle control follows the
// first cycle, the middle of these and the last. The same arguments always give the same doses.
std::vector<std::uint32_t> plan_doses(std::uint32_t first, std::uint32_t last, std::uint32_t mean);

// The whole run at once.
std::vector<std::uint32_t> plan_doses(std::uint32_t cycles, std::uint32_t mean);

}  // namespace ebbtide
