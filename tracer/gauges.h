// Answers: how much of everything do the target's processes hold at this moment, together?
#pragma once

#include <cstdint>
#include <optional>
#include <vector>

#include "bpf/event.h"
#include "recording/result.h"
#include "recording/run.h"
#include "tracer/malloc_census.h"
#include "tracer/resource_table.h"
#include "tracer/target.h"

namespace ebbtide {

class BpfSession;

struct ProcessMappings {
  std::int32_t pid = 0;
  std::vector<IntervalMap::Interval> ranges;  // ascending
};

// One look at the target. Without eBPF `sockets` stays empty and the counts come from /proc.
struct Observation {
  std::uint64_t ts_ns = 0;
  std::vector<std::pair<GaugeKind, std::int64_t>> values;
  std::vector<FdObservation> fds;
  std::vector<ebb_socket> sockets;  // followed and alive
  std::vector<ProcessMappings> mappings;
};

// Reads everything once; `session` may be null. Error: a process is gone or not readable. There is
// no sum without it: a worker that died would look like memory given back.
Result<Observation> observe_target(const Target& target, BpfSession* session);

// What a malloc census amounts to.
std::vector<std::pair<GaugeKind, std::int64_t>> malloc_values(const MallocUse& use);

// Live connections on the target's listening ports by /proc/PID/net/tcp, TIME_WAIT aside.
std::uint32_t count_accepted(const Target& target);

// Resident bytes of all processes by statm; nullopt once one of them is gone.
std::optional<std::uint64_t> resident_bytes(const Target& target);

}  // namespace ebbtide
