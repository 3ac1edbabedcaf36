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

constexpr std::array fd_kinds{GaugeKind::fd_tcp, GaugeKind::fd_pipe, GaugeKind::fd_file,
                              GaugeKind::fd_event, GaugeKind::fd_other};
constexpr std::array fd_kinds_by_iterator{GaugeKind::fd_udp, GaugeKind::fd_unix};

void add(Observation& seen, GaugeKind kind, std::uint64_t value) {
  seen.values.emplace_back(kind, static_cast<std::int64_t>(value));
}

void add_fds(Observation& seen, bool by_iterator) {
  const auto add_kind = [&seen](GaugeKind kind) {
    add(seen, kind,
        std::count_if(seen.fds.begin(), seen.fds.end(),
                      [kind](const FdObservation& fd) { return fd.kind == kind; }));
  };
  add(seen, GaugeKind::fds, seen.fds.size());
  for (const GaugeKind kind : fd_kinds) add_kind(kind);
  if (!by_iterator) return;  // among fd_other, and not to be told apart
  for (const GaugeKind kind : fd_kinds_by_iterator) add_kind(kind);
}

void add_mappings(Observation& seen) {
  std::uint64_t count = 0, bytes = 0;
  for (const ProcessMappings& process : seen.mappings) {
    count += process.ranges.size();
    for (const auto& range : process.ranges) bytes += range.end - range.start;
  }
  add(seen, GaugeKind::mappings, count);
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

// Outgoing connections cannot be told from other processes' by the table alone, nor does it tell
// memory: not counted.
void add_sockets_by_proc(Observation& seen, const Target& target) {
  std::uint64_t accepted = 0, close_wait = 0, fin_wait2 = 0, send_queue = 0;
  if (const auto table = read_tcp_table(target.process.pid)) {
    for (const TcpRow& row : *table) {
      if (!is_accepted_at(target.listeners, row)) continue;
      accepted++;
      send_queue += row.send_queue_bytes;
      if (row.state == tcp_close_wait) close_wait++;
      if (row.state == tcp_fin_wait2) fin_wait2++;
    }
  }
  add(seen, GaugeKind::sockets_accepted, accepted);
  add(seen, GaugeKind::sockets_close_wait, close_wait);
  add(seen, GaugeKind::sockets_fin_wait2, fin_wait2);
  add(seen, GaugeKind::socket_send_queue, send_queue);
}

Result<std::vector<IntervalMap::Interval>> read_mappings(std::int32_t pid, BpfSession* session) {
  std::vector<IntervalMap::Interval> mappings;
  if (session != nullptr) {
    if (const auto vmas = session->read_vmas(pid)) {
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
  const auto records = session->read_fds(pid);
  if (!records) return records.error();
  return observe_fds(pid, *records);
}

}  // namespace

std::vector<std::pair<GaugeKind, std::int64_t>> malloc_values(const MallocUse& use) {
  std::vector<std::pair<GaugeKind, std::int64_t>> values;
  for (const auto& [kind, value] : {std::pair{GaugeKind::malloc_resident, use.resident_bytes},
                                    std::pair{GaugeKind::malloc_in_use, use.in_use_bytes},
                                    std::pair{GaugeKind::malloc_blocks, use.blocks},
                                    std::pair{GaugeKind::malloc_mmapped, use.mmapped_bytes},
                                    std::pair{GaugeKind::malloc_free, use.free_bytes},
                                    std::pair{GaugeKind::malloc_top, use.top_bytes},
                                    std::pair{GaugeKind::malloc_thread_free, use.thread_free_bytes},
                                    std::pair{GaugeKind::malloc_free_chunks, use.free_chunks},
                                    std::pair{GaugeKind::malloc_thread_arenas, use.thread_arenas}})
    values.emplace_back(kind, static_cast<std::int64_t>(value));
  return values;
}

std::uint32_t count_accepted(const Target& target) {
  const auto table = read_tcp_table(target.process.pid);
  if (!table) return 0;
  return static_cast<std::uint32_t>(
      std::count_if(table->begin(), table->end(),
                    [&](const TcpRow& row) { return is_accepted_at(target.listeners, row); }));
}

std::optional<std::uint64_t> resident_bytes(const Target& target) {
  std::uint64_t sum = 0;
  for (const TargetProcess& process : target.processes) {
    const auto resident = read_resident_bytes(process.pid);
    if (!resident || *resident == 0) return std::nullopt;  // a zombie has a statm of zeros
    sum += *resident;
  }
  return sum;
}

Result<Observation> observe_target(const Target& target, BpfSession* session) {
  Observation seen;
  MemoryRollup memory;
  CpuTimes cpu;
  std::optional<std::uint64_t> cpu_delay_ns = 0;
  std::uint64_t threads = 0, children = 0;
  for (const auto& [pid, start, role] : target.processes) {
    const auto fds = read_fd_table(pid, session);
    if (!fds) return fds.error();
    seen.fds.insert(seen.fds.end(), fds->begin(), fds->end());
    auto mappings = read_mappings(pid, session);
    if (!mappings) return mappings.error();
    seen.mappings.push_back({pid, *std::move(mappings)});
    const auto own = read_memory_rollup(pid);
    if (!own) return own.error();
    memory += *own;
    const auto cpu_used = read_cpu_times(pid);
    if (!cpu_used) return cpu_used.error();
    cpu.user_ns += cpu_used->user_ns;
    cpu.system_ns += cpu_used->system_ns;
    const auto delay = read_cpu_delay(pid);
    cpu_delay_ns = cpu_delay_ns && delay ? std::optional(*cpu_delay_ns + *delay) : std::nullopt;
    threads += read_threads(pid).size();
    children += read_children(pid).size();
  }
  if (session != nullptr) {
    auto sockets = session->read_sockets();
    if (!sockets) return sockets.error();
    seen.sockets = *std::move(sockets);
    if (const auto queues = session->read_socket_queues()) {
      add(seen, GaugeKind::socket_memory, queues->memory_bytes);
      add(seen, GaugeKind::socket_send_queue, queues->send_bytes);
    }
  }
  const auto listening = read_listen_counters(target.process.pid);
  if (!listening) return listening.error();
  seen.ts_ns = monotonic_ns();

  add(seen, GaugeKind::rss, memory.rss);
  add(seen, GaugeKind::pss, memory.pss);
  add(seen, GaugeKind::anon, memory.anonymous);
  add(seen, GaugeKind::private_dirty, memory.private_dirty);
  add(seen, GaugeKind::swap, memory.swap);
  add_fds(seen, session != nullptr);
  add_mappings(seen);
  if (session != nullptr)
    add_followed_sockets(seen);
  else
    add_sockets_by_proc(seen, target);
  add(seen, GaugeKind::threads, threads);
  add(seen, GaugeKind::children, children);
  add(seen, GaugeKind::cpu_user, cpu.user_ns);
  add(seen, GaugeKind::cpu_system, cpu.system_ns);
  if (cpu_delay_ns) add(seen, GaugeKind::cpu_delay, *cpu_delay_ns);
  add(seen, GaugeKind::listen_overflows, listening->overflows);
  add(seen, GaugeKind::listen_drops, listening->drops);
  return seen;
}

}  // namespace ebbtide
