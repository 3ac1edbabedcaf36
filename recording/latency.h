// Answers: how are millions of latencies kept in little room? Buckets whose width grows with the
// value, so that each is known to within 1/128 of itself (Gil Tene's HdrHistogram, base 2).
#pragma once

#include <bit>
#include <cstddef>
#include <cstdint>
#include <vector>

namespace ebbtide {

class LatencyHistogram {
 public:
  void add(std::uint64_t value_ns) {
    const std::size_t index = index_of(value_ns);
    if (index >= counts_.size()) counts_.resize(index + 1);
    ++counts_[index];
    ++total_;
  }

  [[nodiscard]] std::uint64_t total() const { return total_; }

  // Calls visit(lower_ns, upper_ns, count) for each bucket that holds something, in order.
  void for_each(auto&& visit) const {
    for (std::size_t index = 0; index < counts_.size(); ++index) {
      if (counts_[index] > 0) visit(lower_of(index), lower_of(index + 1), counts_[index]);
    }
  }

 private:
  // Values below 128 have a bucket each; above, each power of two has 128.
  static constexpr unsigned precision_bits = 7;

  static std::size_t index_of(std::uint64_t value) {
    const unsigned bits = static_cast<unsigned>(std::bit_width(value));
    const unsigned shift = bits > precision_bits + 1 ? bits - precision_bits - 1 : 0;
    return (static_cast<std::size_t>(shift) << precision_bits) + (value >> shift);
  }

  static std::uint64_t lower_of(std::size_t index) {
    if (index < (std::size_t{2} << precision_bits)) return index;
    const std::size_t shift = (index >> precision_bits) - 1;
    return (index - (shift << precision_bits)) << shift;
  }

  std::vector<std::uint64_t> counts_;
  std::uint64_t total_ = 0;
};

}  // namespace ebbtide
