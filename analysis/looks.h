// Answers: may a run end, or does it need more cycles? A run that looks at its own data may do so
// only as often as its error allows.
#pragma once

#include <cstdint>
#include <vector>

#include "analysis/verdict.h"
#include "recording/run.h"

namespace ebbtide {

// Of each interval at the look after `cycles` cycles, when `planned` were planned at first and each
// further look doubles them. The first look spends half of the 5 % error, each further one half of
// what is left: however many looks there are, they spend no more than 5 % together (alpha spending,
// Lan and DeMets 1983; the looks' errors are added, after Bonferroni).
double look_confidence(std::uint32_t planned, std::uint32_t cycles);

struct RunBudget {
  std::uint32_t max_cycles = 40;
  double max_seconds = 120;  // of cycles, settling included
};

// The doses that go on with an undecided run: as many cycles again, as far as the budget goes. None
// when it is decided, or when more cycles would not change what stands against a verdict, nor
// behind a cool-down.
std::vector<std::uint32_t> next_doses(const Recording& recording, const Assessment& assessment,
                                      const RunBudget& budget);

// How many cycles in all would likely settle what is only not yet sure, by how far each interval
// has to shrink (with the root of the cycles); at least as many as give an interval at all. 0 when
// cycles would not settle it: nothing is open, something was not measured, may still be given back,
// or lies so near its limit that no number of cycles tells.
std::uint32_t cycles_to_decide(const Assessment& assessment);

}  // namespace ebbtide
