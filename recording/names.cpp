#include "recording/names.h"

#include <array>
#include <cstddef>

namespace ebbtide {
namespace {

using Name = std::string_view;

constexpr std::array<Name, phase_count> phases = {"before", "open",   "hold",
                                                  "close",  "settle", "cool_down"};

constexpr std::array<Name, 4> points = {"opened", "closed", "settled", "held"};

constexpr std::array<Name, resource_kind_count> resource_kinds = {
    "accepted_socket", "outgoing_socket", "fd", "mapping", "thread", "child",
};

constexpr std::array<GaugeInfo, gauge_kind_count> gauges = {{
    {"rss", "RSS", Unit::bytes},
    {"pss", "PSS", Unit::bytes},
    {"anon", "anonymous memory", Unit::bytes},
    {"private_dirty", "private dirty memory", Unit::bytes},
    {"swap", "swap", Unit::bytes},
    {"fds", "file descriptors", Unit::count},
    {"fd_tcp", "file descriptors (TCP)", Unit::count},
    {"fd_udp", "file descriptors (UDP)", Unit::count},
    {"fd_unix", "file descriptors (Unix socket)", Unit::count},
    {"fd_pipe", "file descriptors (pipe)", Unit::count},
    {"fd_file", "file descriptors (file)", Unit::count},
    {"fd_event", "file descriptors (epoll, event, timer)", Unit::count},
    {"fd_other", "file descriptors (other)", Unit::count},
    {"sockets_accepted", "accepted sockets", Unit::count},
    {"sockets_outgoing", "outgoing sockets", Unit::count},
    {"sockets_close_wait", "accepted sockets in CLOSE_WAIT", Unit::count},
    {"sockets_fin_wait2", "accepted sockets in FIN_WAIT2", Unit::count},
    {"sockets_held", "accepted sockets held by traced processes", Unit::count},
    {"sockets_held_elsewhere", "accepted sockets held by other processes", Unit::count},
    {"mappings", "mappings", Unit::count},
    {"mapped_bytes", "mapped memory", Unit::bytes},
    {"mapped_rebuilt_bytes", "mapped memory (rebuilt from events)", Unit::bytes},
    {"threads", "threads", Unit::count},
    {"children", "child processes", Unit::count},
    {"heap_used", "V8 heap used", Unit::bytes},
    {"heap_total", "V8 heap committed", Unit::bytes},
    {"external", "V8 external memory", Unit::bytes},
    {"array_buffers", "V8 array buffers", Unit::bytes},
    {"heap_live", "V8 heap reachable", Unit::bytes},
    {"heap_live_external", "Buffers reachable", Unit::bytes},
    {"malloc_resident", "malloc's arenas", Unit::bytes},
    {"malloc_in_use", "malloc blocks in use", Unit::bytes},
    {"malloc_blocks", "malloc blocks", Unit::count},
    {"malloc_mmapped", "large malloc blocks", Unit::bytes},
    {"malloc_free", "free memory between malloc blocks", Unit::bytes},
    {"malloc_top", "free memory behind the last malloc block", Unit::bytes},
    {"malloc_thread_free", "free memory in malloc's thread arenas", Unit::bytes},
    {"malloc_free_chunks", "free pieces between malloc blocks", Unit::count},
    {"malloc_thread_arenas", "malloc's thread arenas", Unit::count},
    {"cpu_user", "CPU time in user mode", Unit::nanoseconds},
    {"cpu_system", "CPU time in the kernel", Unit::nanoseconds},
    {"cpu_delay", "time ready without a CPU", Unit::nanoseconds},
    {"socket_memory", "kernel memory of the accepted sockets", Unit::bytes},
    {"socket_send_queue", "send queues of the accepted sockets", Unit::bytes},
    {"listen_overflows", "accept queue overflows", Unit::count},
    {"listen_drops", "SYNs dropped", Unit::count},
}};

constexpr std::array<Name, 8> end_reasons = {
    "unknown",       "completed",         "interrupted", "target_exited",
    "target_killed", "target_oom_killed", "target_exec", "failed",
};

constexpr std::array<Name, 6> stages = {"none", "connect", "upgrade", "exchange", "hold", "close"};

constexpr std::array<Name, 3> closed_firsts = {"nobody", "target", "peer"};

constexpr std::array<Name, 3> collectors = {"scavenge", "mark_compact", "minor_mark_sweep"};

constexpr std::array<Name, 3> fd_operations = {"accept", "close", "shutdown"};

constexpr std::array<Name, 2> heap_sources = {"live", "snapshot"};

constexpr std::array<Name, 6> path_steps = {"root",     "global",  "variable",
                                            "property", "element", "internal"};

constexpr std::array<Name, 3> run_kinds = {"leak", "connections", "broadcast"};

constexpr std::array<Name, 8> close_modes = {
    "clean", "fin", "rst", "terminate", "early", "half_open", "abort_handshake", "wrong_path"};

constexpr std::array<Name, 3> latency_kinds = {"delivery", "after_answer", "reading"};

constexpr std::array<Name, tcp_state_count> tcp_states = {
    "?",     "ESTABLISHED", "SYN_SENT", "SYN_RECV", "FIN_WAIT1", "FIN_WAIT2",    "TIME_WAIT",
    "CLOSE", "CLOSE_WAIT",  "LAST_ACK", "LISTEN",   "CLOSING",   "NEW_SYN_RECV",
};

// A table shorter than its enum would leave empty names at its end.
static_assert(!gauges.back().name.empty() && !end_reasons.back().empty() && !stages.back().empty());
static_assert(static_cast<std::size_t>(GaugeKind::listen_drops) + 1 == gauge_kind_count);
static_assert(static_cast<std::size_t>(ResourceKind::child) + 1 == resource_kind_count);
static_assert(static_cast<std::size_t>(EndReason::failed) + 1 == end_reasons.size());
static_assert(static_cast<std::size_t>(Stage::close) + 1 == stages.size());
static_assert(static_cast<std::size_t>(PathStep::internal) + 1 == path_steps.size());
static_assert(static_cast<std::size_t>(CloseMode::wrong_path) + 1 == close_modes.size());
static_assert(tcp_states[8] == "CLOSE_WAIT" && tcp_states[12] == "NEW_SYN_RECV");

std::string_view text_of(std::string_view row) { return row; }
std::string_view text_of(const GaugeInfo& row) { return row.name; }

template <class E, class Row, std::size_t N>
std::string_view lookup(const std::array<Row, N>& table, E value) {
  const auto index = static_cast<std::size_t>(value);
  return index < N ? text_of(table[index]) : "?";
}

template <class E, class Row, std::size_t N>
std::optional<E> find(const std::array<Row, N>& table, std::string_view name) {
  for (std::size_t index = 0; index < N; ++index) {
    if (text_of(table[index]) == name) return static_cast<E>(index);
  }
  return std::nullopt;
}

}  // namespace

const GaugeInfo& gauge_info(GaugeKind kind) { return gauges.at(static_cast<std::size_t>(kind)); }

std::string_view name_of(Phase value) { return lookup(phases, value); }
std::string_view name_of(Point value) { return lookup(points, value); }
std::string_view name_of(ResourceKind value) { return lookup(resource_kinds, value); }
std::string_view name_of(GaugeKind value) { return lookup(gauges, value); }
std::string_view name_of(EndReason value) { return lookup(end_reasons, value); }
std::string_view name_of(Stage value) { return lookup(stages, value); }
std::string_view name_of(ClosedFirst value) { return lookup(closed_firsts, value); }
std::string_view name_of(Collector value) { return lookup(collectors, value); }
std::string_view name_of(FdOperation value) { return lookup(fd_operations, value); }
std::string_view name_of(HeapSource value) { return lookup(heap_sources, value); }
std::string_view name_of(PathStep value) { return lookup(path_steps, value); }
std::string_view name_of(RunKind value) { return lookup(run_kinds, value); }
std::string_view name_of(CloseMode value) { return lookup(close_modes, value); }
std::string_view name_of(LatencyKind value) { return lookup(latency_kinds, value); }

std::string_view tcp_state_name(std::uint8_t state) { return lookup(tcp_states, state); }

template <>
std::optional<Phase> parse_name(std::string_view name) {
  return find<Phase>(phases, name);
}
template <>
std::optional<Point> parse_name(std::string_view name) {
  return find<Point>(points, name);
}
template <>
std::optional<ResourceKind> parse_name(std::string_view name) {
  return find<ResourceKind>(resource_kinds, name);
}
template <>
std::optional<GaugeKind> parse_name(std::string_view name) {
  return find<GaugeKind>(gauges, name);
}
template <>
std::optional<EndReason> parse_name(std::string_view name) {
  return find<EndReason>(end_reasons, name);
}
template <>
std::optional<Stage> parse_name(std::string_view name) {
  return find<Stage>(stages, name);
}
template <>
std::optional<ClosedFirst> parse_name(std::string_view name) {
  return find<ClosedFirst>(closed_firsts, name);
}
template <>
std::optional<Collector> parse_name(std::string_view name) {
  return find<Collector>(collectors, name);
}
template <>
std::optional<FdOperation> parse_name(std::string_view name) {
  return find<FdOperation>(fd_operations, name);
}
template <>
std::optional<HeapSource> parse_name(std::string_view name) {
  return find<HeapSource>(heap_sources, name);
}
template <>
std::optional<PathStep> parse_name(std::string_view name) {
  return find<PathStep>(path_steps, name);
}
template <>
std::optional<RunKind> parse_name(std::string_view name) {
  return find<RunKind>(run_kinds, name);
}
template <>
std::optional<CloseMode> parse_name(std::string_view name) {
  return find<CloseMode>(close_modes, name);
}
template <>
std::optional<LatencyKind> parse_name(std::string_view name) {
  return find<LatencyKind>(latency_kinds, name);
}

}  // namespace ebbtide
