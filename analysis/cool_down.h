// Answers: did the target give back late what it still had when the last connections were gone?
// Grace periods and close timers do, a leak does not. The cool-down is a stretch of idle cycles
// behind the others, taken only where the verdict hangs on it.
#pragma once

#include <cstdint>

#include "analysis/series.h"
#include "analysis/verdict.h"
#include "recording/run.h"

namespace ebbtide {

struct CoolDown {
  std::uint32_t first_cycle = 0;  // 0: none was taken
  double seconds = 0;             // of its finished cycles, settling included

  [[nodiscard]] bool taken() const { return first_cycle != 0; }
  [[nodiscard]] bool has(std::uint32_t cycle) const { return taken() && cycle >= first_cycle; }
};

CoolDown find_cool_down(const Recording& recording);

// Corrects a judgement on the series without the cool-down by the level at its end. What came back
// in it, at least half of the growth, is no leak's.
void weigh_cool_down(const FloorSeries& before, double level_after, const CoolDown& cool_down,
                     Judgement& judgement);

// The same for survivors, which were judged once as they stood before it and once behind it.
Judgement weigh_cool_down(const Judgement& before, Judgement after, const CoolDown& cool_down);

// For how many seconds the target should yet be left alone, `most` in all: as long as something
// that may give back is pending. In a JavaScript heap that was looked into, that is a running
// timer; of other targets it is not known. 0 when the verdict does not hang on it.
double cool_down_needed(const Recording& recording, const Assessment& assessment, double most);

}  // namespace ebbtide
