// Answers: how much of everything does the target hold at this moment?
#pragma once

#include <cstdint>
#include <vector>

#include "bpf/event.h"
#include "recording/result.h"
#include "recording/run.h"
#include "tracer/resource_table.h"
#include "tracer/target.h"

namespace ebbtide {

class BpfSession;

// One look at the target. Without eBPF `sockets` stays empty and the counts come from /proc.
struct Observation {
  std::uint64_t ts_ns = 0;
  std::vector<std::pair<GaugeKind, std::int64_t>> values;
  std::vector<FdObservation> fds;
  std::vector<ebb_socket> sockets;              // followed and alive
  std::vector<IntervalMap::Interval> mappings;  // ascending
};

// Reads everything once; `session` may be null. Error: the target is gone or not readable.
Result<Observation> observe_target(const Target& target, BpfSession* session);

// Live connections on the target's listening ports by /proc/PID/net/tcp, TIME_WAIT aside.
std::uint32_t count_accepted(const Target& target);

}  // namespace ebbtide
