// Answers: where within the experiment was that? The words for the steps of a cycle.
#pragma once

#include <cstddef>
#include <cstdint>

namespace ebbtide {

// A cycle's steps. `before` is the stretch from attaching to the first cycle (cycle number 0);
// `cool_down` is the rest that an idle cycle gives a target which may yet give back.
enum class Phase : std::uint8_t {
  before = 0,
  open = 1,
  hold = 2,
  close = 3,
  settle = 4,
  cool_down = 5,
};
inline constexpr std::size_t phase_count = 6;

// When within a cycle a gauge was read. A cycle's "before" is the previous cycle's `settled`;
// cycle 0 has only `settled`, the baseline. `held`: at the end of the hold, all still open.
enum class Point : std::uint8_t { opened = 0, closed = 1, settled = 2, held = 3 };

}  // namespace ebbtide
