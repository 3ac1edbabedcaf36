// Answers: who holds the connections that the target's listeners accepted? A process that never
// holds them, a cluster's primary for one, says nothing about what connections cost.
#pragma once

#include <cstdint>
#include <vector>

#include "recording/result.h"
#include "tracer/resource_table.h"
#include "tracer/target.h"

namespace ebbtide {

struct SocketHolders {
  std::uint64_t traced = 0;          // connections that a traced process has an fd of
  std::uint64_t elsewhere = 0;       // those that only others have
  std::vector<std::int32_t> others;  // some of these others; empty when they cannot be seen
};

// Of the connections that neither side has given up. A child that a traced process started at or
// after `young_since` (clock ticks since boot) counts as the target's: one that serves a single
// connection takes its memory with it. `fds` are those of the traced processes.
Result<SocketHolders> find_socket_holders(const Target& target,
                                          const std::vector<FdObservation>& fds,
                                          std::uint64_t young_since);

}  // namespace ebbtide
