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

// What a process is to the others of the target.
enum class ProcessRole : std::uint8_t {
  server,   // serves the address by itself, related to none of them
  primary,  // others descend from it: Node's cluster primary, nginx's master
  worker,   // descends from another
};

struct TargetProcess {
  std::int32_t pid = 0;
  std::uint64_t start_ticks = 0;  // since boot; tells it from a later process of the same pid
  ProcessRole role = ProcessRole::server;
};

struct Target {
  ProcessIdentity process;               // of processes.front(), by which the run is named
  std::vector<TargetProcess> processes;  // every one that is traced; never empty
  std::uint32_t netns = 0;               // inode number of their network namespace
  std::vector<Listener> listeners;       // every TCP address they serve
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
