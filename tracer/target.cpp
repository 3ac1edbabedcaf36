#include "tracer/target.h"

#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <set>

namespace ebbtide {
namespace {

bool serves(const TcpRow& row, const IpAddress& address, std::uint16_t port) {
  return row.state == tcp_listen && row.local_port == port &&
         (is_any_address(row.local) || row.local == address);
}

bool holds_socket(std::int32_t pid, const std::set<std::uint64_t>& inodes) {
  const auto fds = read_fds(pid);
  if (!fds) return false;
  return std::any_of(fds->begin(), fds->end(), [&](const FdEntry& entry) {
    const auto inode = socket_inode(entry.link);
    return inode && inodes.count(*inode) > 0;
  });
}

bool is_ancestor(std::int32_t ancestor, std::int32_t pid) {
  for (std::int32_t parent = parent_of(pid); parent > 1; parent = parent_of(parent)) {
    if (parent == ancestor) return true;
  }
  return false;
}

// Those of the owners that no other owner descends from: a server's workers, not its master.
std::vector<std::int32_t> youngest(const std::vector<std::int32_t>& owners) {
  std::vector<std::int32_t> leaves;
  for (const std::int32_t owner : owners) {
    const bool has_descendant = std::any_of(owners.begin(), owners.end(), [&](std::int32_t other) {
      return other != owner && is_ancestor(owner, other);
    });
    if (!has_descendant) leaves.push_back(owner);
  }
  return leaves;
}

std::string name_processes(const std::vector<std::int32_t>& pids) {
  std::string text;
  for (const std::int32_t pid : pids) {
    const auto process = identify_process(pid);
    text +=
        fmt::format("{}{} ({})", text.empty() ? "" : ", ", pid, process ? process->comm : "gone");
  }
  return text;
}

Result<Target> describe(std::int32_t pid, std::string remark) {
  auto process = identify_process(pid);
  if (!process) return process.error();
  auto listeners = read_listeners(pid);
  if (!listeners) return listeners.error();
  return Target{.process = *std::move(process),
                .processes = {{pid, start_ticks(pid), ProcessRole::server}},
                .netns = network_namespace(pid),
                .listeners = *std::move(listeners),
                .remark = std::move(remark)};
}

Result<Target> choose(const std::vector<std::int32_t>& owners, std::optional<std::int32_t> pid,
                      const std::string& where) {
  if (pid && std::count(owners.begin(), owners.end(), *pid) > 0) return describe(*pid, "");
  std::vector<std::int32_t> candidates = youngest(owners);
  if (pid) {
    std::erase_if(candidates, [&](std::int32_t owner) { return !is_ancestor(*pid, owner); });
    if (candidates.empty()) {
      return Error{"trace", fmt::format("pid {}", *pid),
                   fmt::format("it does not listen on {}; {} does", where, name_processes(owners)),
                   "give that pid, or leave --pid out"};
    }
  }
  if (candidates.size() > 1) {
    return Error{"choose a process", "",
                 fmt::format("{} is shared by {}", where, name_processes(candidates)),
                 "start the server with one worker, or name one of them with --pid"};
  }
  const std::int32_t chosen = candidates.front();
  std::string remark;
  if (pid)
    remark = fmt::format("pid {} does not hold the socket, its descendant {} does", *pid, chosen);
  else if (owners.size() > 1)
    remark = fmt::format("{} is shared by {}; the worker {} is traced", where,
                         name_processes(owners), chosen);
  return describe(chosen, remark);
}

}  // namespace

Result<std::vector<Listener>> read_listeners(std::int32_t pid) {
  const auto table = read_tcp_table(pid);
  if (!table) return table.error();
  const auto fds = read_fds(pid);
  if (!fds) return fds.error();
  std::set<std::uint64_t> held;
  for (const FdEntry& entry : *fds) {
    if (const auto inode = socket_inode(entry.link)) held.insert(*inode);
  }
  std::vector<Listener> listeners;
  for (const TcpRow& row : *table) {
    if (row.state == tcp_listen && held.count(row.inode) > 0)
      listeners.push_back({row.local, row.local_port});
  }
  return listeners;
}

Result<Target> find_target(const IpAddress& address, std::uint16_t port,
                           std::optional<std::int32_t> pid) {
  if (pid) {
    if (const auto process = identify_process(*pid); !process) return process.error();
  }
  const auto table = read_tcp_table(pid.value_or(getpid()));
  if (!table) return table.error();
  const std::string where = fmt::format("{}:{}", address_text(address), port);
  std::set<std::uint64_t> inodes;
  for (const TcpRow& row : *table) {
    if (serves(row, address, port)) inodes.insert(row.inode);
  }
  if (inodes.empty()) {
    return Error{"find the server", "at " + where, "nothing listens there",
                 "start the server first, or correct the URL's host and port"};
  }
  std::vector<std::int32_t> owners;
  for (const std::int32_t process : list_processes()) {
    if (holds_socket(process, inodes)) owners.push_back(process);
  }
  if (owners.empty()) {
    return Error{"find the process", "that listens on " + where,
                 "it belongs to another user or another pid namespace", "run as root"};
  }
  return choose(owners, pid, where);
}

}  // namespace ebbtide
