// Answers: by how much does a reading grow with each connection, when there are only a few levels
// and they lie far apart?
#pragma once

#include <optional>
#include <span>

#include "analysis/statistics.h"

namespace ebbtide {

struct LevelLine {
  double slope = 0;
  double intercept = 0;
  Interval interval;  // of the slope
};

// The weighted median of the slopes of all pairs, each weighted by its distance (Sievers 1978):
// plain Theil–Sen gives the pair 10 and 50 connections, all noise, the say of 10 and 1,000. The
// interval is Student's t on the scatter around the line. Nothing with fewer than three different
// x. docs/method.md says what the interval covers.
std::optional<LevelLine> level_line(std::span<const Sample> samples, double confidence);

}  // namespace ebbtide
