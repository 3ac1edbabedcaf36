#include "tracer/target.h"

#include <fmt/format.h>
#include <fmt/ranges.h>
#include <unistd.h>

#include <algorithm>
#include <cstring>
#include <map>
#include <set>
#include <tuple>

#include "bpf/event.h"

namespace ebbtide {
namespace {

using Pids = std::vector<std::int32_t>;
using Inodes = std::set<std::uint64_t>;

bool contains(const Pids& pids, std::int32_t pid) {
  return std::find(pids.begin(), pids.end(), pid) != pids.end();
}

bool is_ipv4(const IpAddress& address) {
  static constexpr std::uint8_t mapped[12] = {0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff};
  return std::memcmp(address.data(), mapped, sizeof mapped) == 0;
}

// How closely a listening socket fits the address, as the kernel ranks them; 0: not at all.
int fit(const TcpRow& row, const IpAddress& address, std::uint16_t port) {
  if (row.state != tcp_listen || row.local_port != port) return 0;
  if (row.local == address) return 3;
  if (!is_any_address(row.local)) return 0;
  if (is_ipv4(row.local) == is_ipv4(address)) return 2;
  return is_ipv4(address) ? 1 : 0;  // :: takes IPv4 as well, 0.0.0.0 takes no IPv6
}

// The listening sockets that a connection to the address may reach.
std::vector<TcpRow> serving_rows(const std::vector<TcpRow>& table, const IpAddress& address,
                                 std::uint16_t port) {
  int best = 1;
  for (const TcpRow& row : table) best = std::max(best, fit(row, address, port));
  std::vector<TcpRow> rows;
  std::copy_if(table.begin(), table.end(), std::back_inserter(rows),
               [&](const TcpRow& row) { return fit(row, address, port) == best; });
  return rows;
}

bool holds_socket(std::int32_t pid, const Inodes& inodes) {
  const auto fds = read_fds(pid);
  if (!fds) return false;
  return std::any_of(fds->begin(), fds->end(), [&](const FdEntry& entry) {
    const auto inode = socket_inode(entry.link);
    return inode && inodes.contains(*inode);
  });
}

Pids ancestors_of(std::int32_t pid) {
  Pids ancestors;
  for (std::int32_t parent = parent_of(pid); parent > 0 && !contains(ancestors, parent);
       parent = parent_of(parent))
    ancestors.push_back(parent);
  return ancestors;
}

bool descends_from(std::int32_t pid, const Pids& others) {
  const Pids ancestors = ancestors_of(pid);
  return std::any_of(ancestors.begin(), ancestors.end(),
                     [&](std::int32_t ancestor) { return contains(others, ancestor); });
}

std::string executable_of(std::int32_t pid) {
  const auto process = identify_process(pid);
  return process ? process->exe : "";
}

// Opens sockets on behalf of the services that it starts.
bool passes_sockets_on(std::int32_t pid) {
  const auto process = identify_process(pid);
  return pid == 1 || (process && process->comm == "systemd");
}

// Of the processes that hold the listening socket those that may serve it.
Pids servers_among(const Pids& holders) {
  std::map<std::int32_t, std::string> executables;
  for (const std::int32_t pid : holders) executables[pid] = executable_of(pid);
  const auto has_fellow = [&](std::int32_t pid) {
    return std::any_of(holders.begin(), holders.end(), [&](std::int32_t other) {
      return other != pid && executables[other] == executables[pid];
    });
  };
  Pids passers, servers;
  if (holders.size() > 1) {
    std::copy_if(holders.begin(), holders.end(), std::back_inserter(passers),
                 [&](auto pid) { return passes_sockets_on(pid) && !has_fellow(pid); });
  }
  for (const std::int32_t pid : holders) {
    if (contains(passers, pid)) continue;
    const Pids ancestors = ancestors_of(pid);
    const auto nearest = std::find_if(ancestors.begin(), ancestors.end(), [&](auto ancestor) {
      return contains(holders, ancestor) && !contains(passers, ancestor);
    });
    // A helper of another kind inherited the socket and does not know.
    if (nearest == ancestors.end() || executables[*nearest] == executables[pid])
      servers.push_back(pid);
  }
  return servers;
}

// Does the process take connections from its parent by Node's channel between the two?
bool is_node_worker(std::int32_t pid) {
  const bool linked =
      started_with_variable(pid, "NODE_UNIQUE_ID") || started_with_variable(pid, "NODE_CHANNEL_FD");
  return linked && executable_of(pid) == executable_of(parent_of(pid));
}

// `processes` and all Node workers below them.
Pids with_node_workers(Pids processes) {
  for (std::size_t i = 0; i < processes.size(); i++) {
    for (const std::int32_t child : read_children(processes[i])) {
      if (!contains(processes, child) && is_node_worker(child)) processes.push_back(child);
    }
  }
  return processes;
}

// Ancestors before their descendants, so that the run is named by a primary.
std::vector<TargetProcess> with_roles(const Pids& pids) {
  std::vector<TargetProcess> processes;
  std::set<std::int32_t> above;
  for (const std::int32_t pid : pids) {
    TargetProcess process{.pid = pid, .start_ticks = start_ticks(pid), .role = {}};
    for (const std::int32_t ancestor : ancestors_of(pid)) {
      above.insert(ancestor);
      if (contains(pids, ancestor)) process.role = ProcessRole::worker;
    }
    processes.push_back(process);
  }
  for (TargetProcess& process : processes) {
    if (process.role == ProcessRole::server && above.contains(process.pid))
      process.role = ProcessRole::primary;
  }
  std::stable_sort(processes.begin(), processes.end(), [](const auto& a, const auto& b) {
    return (a.role != ProcessRole::worker) > (b.role != ProcessRole::worker);
  });
  return processes;
}

// "4 processes behind 127.0.0.1:8000: primary 100, workers 101, 102, 103".
std::string roll_call(const std::vector<TargetProcess>& processes, const std::string& where) {
  std::string text;
  for (const auto& [role, one, many] : {std::tuple{ProcessRole::primary, "primary ", "primaries "},
                                        std::tuple{ProcessRole::server, "", ""},
                                        std::tuple{ProcessRole::worker, "worker ", "workers "}}) {
    Pids pids;
    for (const TargetProcess& process : processes) {
      if (process.role == role) pids.push_back(process.pid);
    }
    if (pids.empty()) continue;
    text += fmt::format("{}{}{}", text.empty() ? "" : ", ", pids.size() == 1 ? one : many,
                        fmt::join(pids, ", "));
  }
  return fmt::format("{} processes behind {}: {}", processes.size(), where, text);
}

// What the address's sockets and processes are, before one is chosen.
struct Served {
  std::string where;
  std::vector<Listener> listeners;
  Pids all;  // servers and their workers
};

Result<Pids> below(std::int32_t pid, const Served& served) {
  Pids chosen;
  std::copy_if(served.all.begin(), served.all.end(), std::back_inserter(chosen),
               [&](auto other) { return other == pid || descends_from(other, {pid}); });
  if (!chosen.empty()) return chosen;
  return Error{
      "trace", fmt::format("pid {}", pid),
      fmt::format("it does not listen on {}; {} does", served.where, name_processes(served.all)),
      "give that pid, or leave --pid out"};
}

std::string remark_on(const Served& served, const std::vector<TargetProcess>& processes,
                      std::optional<std::int32_t> pid) {
  std::string remark;
  if (processes.size() > 1) remark = roll_call(processes, served.where);
  if (!pid) return remark;
  Pids chosen, others;
  for (const TargetProcess& process : processes) chosen.push_back(process.pid);
  std::copy_if(served.all.begin(), served.all.end(), std::back_inserter(others),
               [&](auto other) { return !contains(chosen, other); });
  const auto add = [&](const std::string& text) { remark += (remark.empty() ? "" : "; ") + text; };
  if (!contains(chosen, *pid)) {
    add(fmt::format("pid {} does not serve {}, {} below it {}", *pid, served.where,
                    fmt::join(chosen, ", "), chosen.size() == 1 ? "does" : "do"));
  }
  if (!others.empty()) {
    add(fmt::format("{} also behind {}, and connections there are not measured: {}",
                    others.size() == 1 ? "one more process is" : "more processes are", served.where,
                    name_processes(others)));
  }
  return remark;
}

Result<Target> describe(const Pids& chosen, Served served, std::optional<std::int32_t> pid,
                        std::uint32_t netns) {
  if (chosen.size() > EBB_MAX_PROCESSES) {
    return Error{"trace", served.where,
                 fmt::format("{} processes serve it, and at most {} are followed", chosen.size(),
                             EBB_MAX_PROCESSES),
                 "start the server with fewer workers, or name one of them with --pid"};
  }
  Target target;
  target.processes = with_roles(chosen);
  target.netns = netns;
  auto identity = identify_process(target.processes.front().pid);
  if (!identity) return identity.error();
  target.process = *std::move(identity);
  target.remark = remark_on(served, target.processes, pid);
  target.listeners = std::move(served.listeners);
  for (const TargetProcess& process : target.processes) {
    const auto own = read_listeners(process.pid);
    if (!own) return own.error();
    target.listeners.insert(target.listeners.end(), own->begin(), own->end());
  }
  return target;
}

}  // namespace

Result<std::vector<Listener>> read_listeners(std::int32_t pid) {
  const auto table = read_tcp_table(pid);
  if (!table) return table.error();
  const auto fds = read_fds(pid);
  if (!fds) return fds.error();
  Inodes held;
  for (const FdEntry& entry : *fds) {
    if (const auto inode = socket_inode(entry.link)) held.insert(*inode);
  }
  std::vector<Listener> listeners;
  for (const TcpRow& row : *table) {
    if (row.state == tcp_listen && held.contains(row.inode))
      listeners.push_back({row.local, row.local_port});
  }
  return listeners;
}

Result<Target> find_target(const IpAddress& address, std::uint16_t port,
                           std::optional<std::int32_t> pid) {
  if (pid) {
    if (const auto process = identify_process(*pid); !process) return process.error();
  }
  const std::int32_t resident = pid.value_or(getpid());  // of the network namespace
  const auto table = read_tcp_table(resident);
  if (!table) return table.error();
  Served served{
      .where = fmt::format("{}:{}", address_text(address), port), .listeners = {}, .all = {}};
  Inodes inodes;
  for (const TcpRow& row : serving_rows(*table, address, port)) {
    inodes.insert(row.inode);
    served.listeners.push_back({row.local, row.local_port});
  }
  if (inodes.empty()) {
    return Error{"find the server", "at " + served.where, "nothing listens there",
                 "start the server first, or correct the URL's host and port"};
  }
  Pids holders;
  for (const std::int32_t process : list_processes()) {
    if (holds_socket(process, inodes)) holders.push_back(process);
  }
  if (holders.empty()) {
    return Error{"find the process", "that listens on " + served.where,
                 "it belongs to another user or another pid namespace", "run as root"};
  }
  // A holder that is asked for by its pid serves, whatever its kin.
  Pids servers = pid && contains(holders, *pid) ? Pids{*pid} : Pids{};
  for (const std::int32_t server : servers_among(holders)) {
    if (!contains(servers, server)) servers.push_back(server);
  }
  served.all = with_node_workers(std::move(servers));
  Pids chosen = served.all;
  if (pid) {
    auto asked = below(*pid, served);
    if (!asked) return asked.error();
    chosen = *std::move(asked);
  }
  return describe(chosen, std::move(served), pid, network_namespace(resident));
}

std::vector<std::int32_t> find_new_workers(const Target& target) {
  Inodes listening;
  if (const auto table = read_tcp_table(target.process.pid)) {
    for (const TcpRow& row : *table) {
      const bool ours = std::any_of(
          target.listeners.begin(), target.listeners.end(), [&](const Listener& listener) {
            return listener.port == row.local_port && listener.address == row.local;
          });
      if (row.state == tcp_listen && ours) listening.insert(row.inode);
    }
  }
  Pids newcomers;
  for (const TargetProcess& process : target.processes) {
    for (const std::int32_t child : read_children(process.pid)) {
      if (is_traced(target, child)) continue;
      const bool fellow =
          executable_of(child) == executable_of(process.pid) && holds_socket(child, listening);
      if (fellow || is_node_worker(child)) newcomers.push_back(child);
    }
  }
  return newcomers;
}

bool is_accepted_at(const std::vector<Listener>& listeners, const TcpRow& row) {
  return row.state != tcp_listen && row.state != tcp_time_wait &&
         std::any_of(listeners.begin(), listeners.end(), [&](const Listener& listener) {
           return listener.port == row.local_port &&
                  (is_any_address(listener.address) || listener.address == row.local);
         });
}

std::vector<std::int32_t> pids_of(const Target& target) {
  Pids pids;
  for (const TargetProcess& process : target.processes) pids.push_back(process.pid);
  return pids;
}

bool is_traced(const Target& target, std::int32_t pid) {
  return std::any_of(target.processes.begin(), target.processes.end(),
                     [pid](const TargetProcess& process) { return process.pid == pid; });
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

}  // namespace ebbtide
