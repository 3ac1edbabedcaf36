// Answers: which processes are behind this address, and on what do they listen? Measuring the wrong
// process is worse than measuring none, so a pid that does not serve the address is refused.
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
  std::string remark;                    // which were chosen when that is not obvious, or ""
};

// Finds the processes that serve `port` at `address`, in the network namespace of `pid` when given,
// else in the caller's. They are those that hold the listening socket and the workers of those: a
// Node cluster's primary holds it and hands the connections on. Left out are processes that only
// passed it on (init) and programs of another kind that inherited it. With a pid: that process and
// the workers below it. Errors: no such process, nobody listens, others do (named), too many do.
Result<Target> find_target(const IpAddress& address, std::uint16_t port,
                           std::optional<std::int32_t> pid);

// Workers that have come below the target's processes since and are none of them.
std::vector<std::int32_t> find_new_workers(const Target& target);

// The TCP addresses a process listens on.
Result<std::vector<Listener>> read_listeners(std::int32_t pid);

// Is this a connection that one of these listeners accepted, TIME_WAIT aside?
bool is_accepted_at(const std::vector<Listener>& listeners, const TcpRow& row);

std::vector<std::int32_t> pids_of(const Target& target);
bool is_traced(const Target& target, std::int32_t pid);

// "100 (node), 101 (node)".
std::string name_processes(const std::vector<std::int32_t>& pids);

}  // namespace ebbtide
