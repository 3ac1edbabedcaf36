// Answers: what does one kind of thing say about one close mode?
#pragma once

#include <span>
#include <string>
#include <vector>

#include "analysis/endings/close_modes.h"
#include "analysis/verdict.h"
#include "recording/run.h"

namespace ebbtide {

// A cell, what it says in words, "" unless it is bad, and why it could not be told, or "".
struct CellFinding {
  ModeCell cell;
  std::string finding;
  std::string remark = {};
};

// What of these kinds is alive at the end of the run and was born in the cycles of a mode, one row
// per kind and cycle. Kept: from every cycle, and in all more than the kind's limit.
CellFinding kept_resources(const Recording& run, std::span<const CohortSurvivors> born,
                           std::uint64_t connections, std::span<const ResourceKind> kinds);

// Objects that every cycle leaves behind, or a settled floor that rises with every cycle beyond the
// gauge's limit. `pass` is pass_part(). One cycle alone cannot tell a leak from a warm-up, unless
// the objects that are left are a whole number per connection.
CellFinding growing_memory(const Recording& pass);

// The longest turns of its cycles, and whether the loop came to rest. `pass` is compared with the
// same of `main`.
ModeCell event_loop_cell(const Recording& pass, const Recording& main);

}  // namespace ebbtide
