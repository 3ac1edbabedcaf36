// Answers: how often is the verdict wrong? Thousands of whole runs against simulated servers, of
// which it is known what they leak, looked at as a real run looks. docs/method.md says what counts
// as wrong.
#pragma once

#include <array>
#include <compare>
#include <cstdint>
#include <functional>
#include <map>
#include <string>
#include <vector>

#include "tests/bench/table.h"
#include "tests/unit/simulated_server.h"

namespace ebbtide {

// Leaks, in multiples of the limit that the same run prints when nothing leaks.
inline constexpr std::array leak_multiples = {0.0, 0.5, 1.0, 1.5, 2.0, 4.0, 16.0};
inline constexpr std::array<std::uint32_t, 5> planned_cycles = {4, 6, 10, 20, 40};

struct Tally {
  std::uint64_t count = 0;
  std::uint64_t of = 0;

  void add(bool counts) { count += counts, ++of; }
  Tally& operator+=(const Tally& other);
  [[nodiscard]] double percent() const;
  [[nodiscard]] std::string interval_text() const;  // Clopper–Pearson, 95 %, in per cent
};

struct Rates {
  Tally false_leak;                 // of runs whose server leaks nothing
  Tally false_clear;                // of runs whose leak is above the limit that was printed
  Tally undecided;                  // of runs whose server leaks nothing
  Tally covered;                    // the leak, by the 95 % interval of the first look
  Tally above;                      // that interval lies wholly above it
  std::vector<double> half_widths;  // of that interval
  // Of runs with something that had not come to an end, which count nowhere else: LEAK.
  Tally unsteady_leak;

  Rates& operator+=(const Rates& other);
};

// Of one kind of server, cycles planned and leak.
struct Group {
  Trouble trouble = Trouble::none;
  std::uint32_t cycles = 0;
  std::size_t multiple = 0;  // into leak_multiples

  auto operator<=>(const Group&) const = default;
};

struct Outcomes {
  Rates rates;
  std::array<std::uint64_t, 4> verdicts{};  // in the order of Verdict; of the last look
};

class VerdictRates {
 public:
  // `servers` of each group, drawn from `seed`.
  VerdictRates(std::uint64_t seed, std::uint32_t servers);

  using Wanted = std::function<bool(const Group&)>;
  [[nodiscard]] Rates rates(const Wanted& wanted) const;
  // Those of any of `verdicts`.
  [[nodiscard]] Tally given(const std::vector<Verdict>& verdicts, const Wanted& wanted) const;

 private:
  std::map<Group, Outcomes> outcomes_;
};

Result<Rows> measure_verdict_rates();

}  // namespace ebbtide
