#include "tracer/gauges.h"

#include <algorithm>
#include <array>
#include <chrono>

#include "recording/clock.h"
#include "tracer/bpf_session.h"
#include "tracer/fd_census.h"
#include "tracer/proc.h"
#include "tracer/process_maps.h"

namespace ebbtide {
namespace {

constexpr std::array fd_kinds{GaugeKind::fd_tcp,  GaugeKind::fd_udp,  GaugeKind::fd_unix,
                              GaugeKind::fd_pipe, GaugeKind::fd_file, GaugeKind::fd_event,
                              GaugeKind::fd_other};

void add(Observation& seen, GaugeKind kind, std::uint64_t value) {
  seen.values.emplace_back(kind, static_cast<std::int64_t>(value));
}

void add_fds(Observation& seen) {
  add(seen, GaugeKind::fds, seen.fds.size());
  for (const GaugeKind kind : fd_kinds) {
    add(seen, kind,
        std::count_if(seen.fds.begin(), seen.fds.end(),
                      [kind](const FdObservation& fd) { return fd.kind == kind; }));
  }
}

void add_mappings(Observation& seen) {
  std::uint64_t bytes = 0;
  for (const auto& range : seen.mappings) bytes += range.end - range.start;
  add(seen, GaugeKind::mappings, seen.mappings.size());
  add(seen, GaugeKind::mapped_bytes, bytes);
}

void add_followed_sockets(Observation& seen) {
  const auto count = [&](auto&& matches) {
    return std::count_if(seen.sockets.begin(), seen.sockets.end(), matches);
  };
  const auto accepted_in = [](std::uint8_t state) {
    return [state](const ebb_socket& socket) {
      return socket.direction == EBB_ACCEPTED && socket.state == state;
    };
  };
  const auto accepted = count([](const ebb_socket& s) { return s.direction == EBB_ACCEPTED; });
  add(seen, GaugeKind::sockets_accepted, accepted);
  add(seen, GaugeKind::sockets_outgoing, seen.sockets.size() - accepted);
  add(seen, GaugeKind::sockets_close_wait, count(accepted_in(tcp_close_wait)));
  add(seen, GaugeKind::sockets_fin_wait2, count(accepted_in(tcp_fin_wait2)));
}

bool on_listening_port(const Target& target, const TcpRow& row) {
  return row.state != tcp_listen && row.state != tcp_time_wait &&
         std::any_of(target.listeners.begin(), target.listeners.end(),
                     [&](const Listener& listener) { return listener.port == row.local_port; });
}

// Outgoing connections cannot be told from other processes' by the table alone: not counted.
void add_sockets_by_proc(Observation& seen, const Target& target) {
  std::uint64_t accepted = 0, close_wait = 0, fin_wait2 = 0;
  if (const auto table = read_tcp_table(target.process.pid)) {
    for (const TcpRow& row : *table) {
      if (!on_listening_port(target, row)) continue;
      accepted++;
      if (row.state == tcp_close_wait) close_wait++;
      if (row.state == tcp_fin_wait2) fin_wait2++;
    }
  }
  add(seen, GaugeKind::sockets_accepted, accepted);
  add(seen, GaugeKind::sockets_close_wait, close_wait);
  add(seen, GaugeKind::sockets_fin_wait2, fin_wait2);
}

Result<std::vector<IntervalMap::Interval>> read_mappings(std::int32_t pid, BpfSession* session) {
  std::vector<IntervalMap::Interval> mappings;
  if (session != nullptr) {
    if (const auto vmas = session->read_vmas()) {
      for (const ebb_vma_record& vma : *vmas) mappings.push_back({vma.start, vma.end});
      return mappings;
    }
  }
  const auto maps = read_process_maps(pid);
  if (!maps) return maps.error();
  for (const ProcessMapping& mapping : *maps) mappings.push_back({mapping.start, mapping.end});
  return mappings;
}

Result<std::vector<FdObservation>> read_fd_table(std::int32_t pid, BpfSession* session) {
  if (session == nullptr) return observe_fds(pid);
  const auto records = session->read_fds();
  if (!records) return records.error();
  return observe_fds(*records);
}

}  // namespace

std::uint32_t count_accepted(const Target& target) {
  const auto table = read_tcp_table(target.process.pid);
  if (!table) return 0;
  return static_cast<std::uint32_t>(
      std::count_if(table->begin(), table->end(),
                    [&](const TcpRow& row) { return on_listening_port(target, row); }));
}

Result<Observation> observe_target(const Target& target, BpfSession* session) {
  const std::int32_t pid = target.process.pid;
  Observation seen;
  auto fds = read_fd_table(pid, session);
  if (!fds) return fds.error();
  seen.fds = *std::move(fds);
  auto mappings = read_mappings(pid, session);
  if (!mappings) return mappings.error();
  seen.mappings = *std::move(mappings);
  const auto memory = read_memory_rollup(pid);
  if (!memory) return memory.error();
  if (session != nullptr) seen.sockets = session->read_sockets();
  seen.ts_ns = monotonic_ns();

  add(seen, GaugeKind::rss, memory->rss);
  add(seen, GaugeKind::pss, memory->pss);
  add(seen, GaugeKind::anon, memory->anonymous);
  add(seen, GaugeKind::private_dirty, memory->private_dirty);
  add(seen, GaugeKind::swap, memory->swap);
  add_fds(seen);
  add_mappings(seen);
  if (session != nullptr)
    add_followed_sockets(seen);
  else
    add_sockets_by_proc(seen, target);
  add(seen, GaugeKind::threads, read_threads(pid).size());
  add(seen, GaugeKind::children, read_children(pid).size());
  return seen;
}

}  // namespace ebbtide
