// Answers: which process is behind this address, and on what does it listen? Measuring the wrong
// process is worse than measuring none, so a pid that does not own the port is refused.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "recording/result.h"
#include "tracer/proc.h"
#include "tracer/tcp_table.h"

namespace ebbtide {

struct Listener {
  IpAddress address{};
  std::uint16_t port = 0;
};

struct Target {
  ProcessIdentity process;
  std::uint32_t netns = 0;          // inode number of its network namespace
  std::vector<Listener> listeners;  // every TCP address it listens on
  std::string remark;               // how it was chosen when that is not obvious; may be empty
};

// Finds the process that listens on `port` at `address`, in the network namespace of `pid` when
// given, else in the caller's. Given a pid, it or a descendant of it must own the socket. Errors:
// no such process, nobody listens, another process does (named), several unrelated processes do.
Result<Target> find_target(const IpAddress& address, std::uint16_t port,
                           std::optional<std::int32_t> pid);

// The TCP addresses a process listens on.
Result<std::vector<Listener>> read_listeners(std::int32_t pid);

}  // namespace ebbtide
