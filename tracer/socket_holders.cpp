#include "tracer/socket_holders.h"

#include <algorithm>
#include <unordered_set>

#include "tracer/proc.h"
#include "tracer/tcp_table.h"

namespace ebbtide {
namespace {

using Inodes = std::unordered_set<std::uint64_t>;

// Connections on their way between two processes are for a moment nobody's; so few say nothing.
bool worth_a_search(std::size_t missing, std::size_t all) { return missing * 10 > all; }

bool started_by_target(const Target& target, std::int32_t pid, std::uint64_t young_since) {
  if (start_ticks(pid) < young_since) return false;
  for (std::int32_t parent = parent_of(pid); parent > 1; parent = parent_of(parent)) {
    if (is_traced(target, parent)) return true;
  }
  return false;
}

// Takes the sockets that a process holds out of `missing`; returns how many, or an error.
Result<std::size_t> claim(std::int32_t pid, Inodes& missing) {
  const auto fds = read_fds(pid);
  if (!fds) return fds.error();
  std::size_t claimed = 0;
  for (const FdEntry& entry : *fds) {
    if (const auto inode = socket_inode(entry.link)) claimed += missing.erase(*inode);
  }
  return claimed;
}

}  // namespace

Result<SocketHolders> find_socket_holders(const Target& target,
                                          const std::vector<FdObservation>& fds,
                                          std::uint64_t young_since) {
  const auto table = read_tcp_table(target.process.pid);
  if (!table) return table.error();
  Inodes held;
  for (const FdObservation& fd : fds) {
    if (fd.inode != 0) held.insert(fd.inode);
  }
  SocketHolders holders;
  Inodes missing;
  for (const TcpRow& row : *table) {
    const bool up = row.state == tcp_established || row.state == tcp_close_wait;
    if (!up || row.inode == 0 || !is_accepted_at(target.listeners, row)) continue;
    if (held.contains(row.inode))
      holders.traced++;
    else
      missing.insert(row.inode);
  }
  if (!worth_a_search(missing.size(), missing.size() + holders.traced)) return holders;
  bool all_seen = true;
  for (const std::int32_t pid : list_processes()) {
    if (missing.empty()) break;
    if (is_traced(target, pid)) continue;
    const auto claimed = claim(pid, missing);
    all_seen = all_seen && (claimed || start_ticks(pid) == 0);  // one that is gone holds nothing
    if (!claimed || *claimed == 0) continue;
    if (started_by_target(target, pid, young_since)) {
      holders.traced += *claimed;
    } else {
      holders.elsewhere += *claimed;
      holders.others.push_back(pid);
    }
  }
  if (!all_seen) holders.elsewhere += missing.size();
  return holders;
}

}  // namespace ebbtide
