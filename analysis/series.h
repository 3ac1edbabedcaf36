// Answers: what was left after each cycle? A gauge read at the settle points, against the
// connections established and the time passed until then.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "analysis/statistics.h"
#include "recording/run.h"

namespace ebbtide {

// One summand of a series: several gauges may make one level (anonymous memory and swap).
struct GaugeTerm {
  GaugeKind kind = GaugeKind::rss;
  int sign = 1;
};

// A level after everything a cycle's connections took should be back.
struct FloorPoint {
  std::uint32_t cycle = 0;
  double connections = 0;  // held by the target since the baseline
  double seconds = 0;      // since the first point
  double value = 0;        // above the first point
  double dose = 0;         // those of the last cycle that had any
};

// Every value is relative to the first point: levels of gigabytes lose no bytes as doubles.
struct FloorSeries {
  std::vector<FloorPoint> points;    // one per number of connections; the baseline comes first
  std::vector<FloorPoint> readings;  // all of them, idle ones too
  std::vector<FloorStep> idle;       // stretches without connections, for the clock's share
  bool ever_above_zero = false;      // the level itself, not its change
};

// Whether the level was read after a heap snapshot, which leaves a process larger than it found it.
bool is_void(const Recording& recording, const Gauge& gauge);

// The settled floor of the sum of `terms`. Only finished cycles count, and only points where every
// term was read. An idle cycle's reading replaces the one before it: the same connections, better
// settled. Levels of memory read after a heap snapshot are void and do not count.
FloorSeries floor_series(const Recording& recording, std::span<const GaugeTerm> terms);

// Changes between consecutive points.
std::vector<FloorStep> steps_of(std::span<const FloorPoint> points);

}  // namespace ebbtide
