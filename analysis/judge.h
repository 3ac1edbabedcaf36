// Answers: what does one line of evidence, a gauge's floor or a kind's survivors, say by itself?
#pragma once

#include <span>

#include "analysis/series.h"
#include "analysis/statistics.h"
#include "analysis/thresholds.h"
#include "analysis/verdict.h"

namespace ebbtide {

// The growth per connection, told apart from the cycles' and the clock's, and the growth of the
// whole floor, which must confirm it, against what clean servers grow by. Inconclusive with fewer
// than three steps after the warm-up or hardly any connections; with three there may be a leak, but
// none is cleared.
Judgement judge_floor(const FloorSeries& series, const GaugeRule& rule, double confidence);

// A cycle's part of a kind's survivors.
struct CohortShare {
  double connections = 0;  // that reached the target in this cycle
  double seconds = 0;
  double alive_at_end = 0;
  bool idle = false;
};

// The share of connections that left one behind, less what idle cycles leave behind in the same
// time, in the cycles between those with an early and those with a late excess. `cohorts` in order
// of the cycles; with fewer than three after the warm-up cycle a leak is called only when at least
// every second connection of each left one.
Judgement judge_survivors(std::span<const CohortShare> cohorts, const KindRule& rule,
                          double confidence);

// Settles whether the judgement has a say, and adds to its reason why it has none.
void apply_role(Judgement& judgement, Role role, const std::string& aside, bool steady);

}  // namespace ebbtide
