// Answers: which fds does a process have, and of what kind? One shape, whether they were read by
// the iterator or from /proc/PID/fd.
#pragma once

#include <vector>

#include "bpf/event.h"
#include "recording/result.h"
#include "tracer/resource_table.h"

namespace ebbtide {

std::vector<FdObservation> observe_fds(std::int32_t pid, const std::vector<ebb_fd_record>& records);

// Tells TCP from other sockets by the network namespace's tables, but not Unix from UDP; knows no
// socket ids.
Result<std::vector<FdObservation>> observe_fds(std::int32_t pid);

}  // namespace ebbtide
