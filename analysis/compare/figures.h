// Answers: which figures of two runs of one kind belong together? Each function pairs what it is
// given and weighs the pairs.
#pragma once

#include <vector>

#include "analysis/compare/paired_figure.h"
#include "analysis/load/broadcast.h"
#include "analysis/load/levels.h"
#include "analysis/verdict.h"
#include "recording/run.h"

namespace ebbtide {

// What each connection leaves: a figure for every gauge and resource kind that either run judged,
// the most telling first. A figure that leaks in neither run is the same.
std::vector<PairedFigure> leak_figures(const Assessment& before, const Assessment& after);

// A load run and what was made of it.
struct MeasuredLevels {
  const Recording& recording;
  const LevelsAssessment& assessment;
};

// Connections held, cost of one, and how long it took to establish them at each level that both
// runs had.
std::vector<PairedFigure> level_figures(const MeasuredLevels& before, const MeasuredLevels& after);

struct MeasuredBroadcast {
  const Recording& recording;
  const BroadcastAssessment& assessment;
};

// Deliveries, their latency, throughput and CPU.
std::vector<PairedFigure> broadcast_figures(const MeasuredBroadcast& before,
                                            const MeasuredBroadcast& after);

}  // namespace ebbtide
