// Answers: does a count that was read at each look into a heap grow with the connections?
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "recording/run.h"

namespace ebbtide {

struct LookPoint {
  std::uint32_t cycle = 0;
  double connections = 0;  // established until then
  double seconds = 0;      // since the first look
};

// The looks into one isolate, as the run's cycles or, without any, their order tell.
struct LookSeries {
  std::vector<LookPoint> looks;
  bool counts_connections = false;  // false: a step from one look to the next counts as one

  [[nodiscard]] std::size_t steps_with_connections() const;
};

LookSeries look_series(const Recording& recording, const std::string& isolate);

enum class Trend : std::uint8_t {
  none,
  grows,    // in nearly every step with connections, beyond what comes by the clock
  bounded,  // grew, then stopped or slowed down to half
};

struct LevelTrend {
  Trend trend = Trend::none;
  double per_connection = 0;
};

// Objects or entries. `levels` by look; a look between which and the one before nobody connected is
// a control: its growth is the clock's, and taken off. Of a single step it can only tell that there
// is more.
LevelTrend trend_of(const LookSeries& series, std::span<const std::uint64_t> levels);

// The robust slope alone, of bytes.
double slope_of(const LookSeries& series, std::span<const std::uint64_t> levels);

}  // namespace ebbtide
