// Answers: how does the row of a resource begin, and under which id?
#pragma once

#include <cstdint>

#include "bpf/event.h"
#include "recording/run.h"

namespace ebbtide {

inline std::uint32_t cycle_of(std::uint32_t epoch) { return epoch >> EBB_PHASE_BITS; }
inline Phase phase_of(std::uint32_t epoch) { return static_cast<Phase>(epoch & EBB_PHASE_MASK); }

// Ids are unique in the run: the kind above, a number of its own (below 2^48) beneath.
inline Resource born(ResourceKind kind, std::uint64_t number, std::int32_t pid, std::uint32_t epoch,
                     std::uint64_t birth_ns) {
  Resource resource;
  resource.id = (static_cast<std::uint64_t>(kind) + 1) << 48 | number;
  resource.kind = kind;
  resource.pid = pid;
  resource.birth_cycle = cycle_of(epoch);
  resource.birth_phase = phase_of(epoch);
  resource.birth_ns = birth_ns;
  return resource;
}

}  // namespace ebbtide
