// Answers: what did one run observe? These structs are the whole vocabulary between the stages:
// tracer/ and driver/ fill them, recording/ stores them, analysis/ reads nothing else.
//
// All times are nanoseconds of CLOCK_MONOTONIC unless the name says otherwise; sizes are bytes;
// 0 in a time field means "did not happen".
#pragma once

#include <array>
#include <cstdint>
#include <string>
#include <variant>
#include <vector>

#include "recording/heap.h"
#include "recording/load.h"
#include "recording/phase.h"
#include "recording/source_file.h"

namespace ebbtide {

// What kind of thing the target acquired and must give back.
enum class ResourceKind : std::uint8_t {
  accepted_socket = 0,  // TCP connection the target's listening ports accepted
  outgoing_socket = 1,  // TCP connection the target opened
  fd = 2,               // entry of the target's fd table that is no TCP socket
  mapping = 3,          // bytes of one mmap (or heap growth by brk) that are still mapped
  thread = 4,
  child = 5,  // child process
};
inline constexpr std::size_t resource_kind_count = 6;

// A level read at a measuring point. Names, units and meaning: gauge_info() in recording/names.h.
enum class GaugeKind : std::uint8_t {
  rss,
  pss,
  anon,
  private_dirty,
  swap,  // bytes, /proc/PID/smaps_rollup
  fds,
  fd_tcp,
  fd_udp,
  fd_unix,
  fd_pipe,
  fd_file,
  fd_event,
  fd_other,  // count
  sockets_accepted,
  sockets_outgoing,  // live TCP sockets, count
  sockets_close_wait,
  sockets_fin_wait2,  // of the accepted ones, count
  sockets_held,
  sockets_held_elsewhere,  // accepted ones open in a traced process, and only in others; count
  mappings,
  mapped_bytes,          // from the kernel (iter/task_vma or maps)
  mapped_rebuilt_bytes,  // the tracer's interval map, for the check
  threads,
  children,  // count
  heap_used,
  heap_total,
  external,
  array_buffers,  // bytes, V8, after a forced full GC only
  heap_live,
  heap_live_external,    // bytes that JavaScript or C++ handles reach, by the heap census
  malloc_resident,       // bytes, pages of [heap] and of glibc's arenas
  malloc_in_use,         // bytes of glibc's blocks in use, by the malloc census
  malloc_blocks,         // count of them
  malloc_mmapped,        // bytes of those, in blocks with a mapping of their own
  malloc_free,           // bytes in memory between blocks of the main arena
  malloc_top,            // bytes in memory behind its last block
  malloc_thread_free,    // bytes in memory and free in the arenas of threads
  malloc_free_chunks,    // count of free pieces, in all arenas
  malloc_thread_arenas,  // count
  cpu_user,
  cpu_system,         // nanoseconds of CPU since the process began
  cpu_delay,          // nanoseconds that main threads were ready to run while others had the CPUs
  socket_memory,      // bytes the kernel holds for the accepted sockets, all queues
  socket_send_queue,  // of those, bytes written and not yet acknowledged: backpressure
  listen_overflows,   // count since boot, of the network namespace: accept queue full
  listen_drops,       // count since boot: SYNs dropped, overflows among them
};
inline constexpr std::size_t gauge_kind_count = 46;

// What the driver did in each cycle and with each connection; enough to repeat the run.
struct PlanInfo {
  std::uint32_t cycles = 0;       // cycles with connections
  std::uint32_t connections = 0;  // per cycle (the dose)
  std::uint32_t window = 0;       // at most so many opening at once
  std::uint64_t hold_ms = 0;
  std::uint64_t timeout_ms = 0;
  std::uint64_t settle_cap_ms = 0;
  std::string close_modes;         // "clean,rst": the main experiment's, then one short pass each
  std::vector<std::string> steps;  // "send TEXT" / "expect TEXT" in the order run
};

// What kind of experiment a run is; decides which report is written of it.
enum class RunKind : std::uint8_t { leak = 0, connections, broadcast };

struct RunInfo {
  RunKind kind = RunKind::leak;
  std::string tool_version;
  std::string command_line;         // shell-quoted, to reproduce the run
  std::int64_t started_unix_s = 0;  // wall clock, UTC
  std::uint64_t start_ns = 0;
  std::string url;
  std::int32_t pid = 0;
  std::string comm;
  std::string cmdline;  // arguments joined with single spaces
  std::string exe;
  std::string runtime;          // "node", "" when not known
  std::string runtime_version;  // "v20.20.2", "" when not known
  std::string kernel;           // uname -r
  std::string machine;          // uname -m
  std::uint32_t cpus = 0;
  std::uint32_t page_size = 0;
  std::uint64_t fd_limit = 0;  // open files that each process of the target may have; 0: not known
  PlanInfo plan;
};

enum class EndReason : std::uint8_t {
  unknown = 0,    // the tool itself was killed
  completed,      // every planned cycle ran
  interrupted,    // Ctrl-C
  target_exited,  // exit code in detail
  target_killed,  // signal in detail
  target_oom_killed,
  target_exec,  // replaced itself by another program
  failed,       // the tool could not go on; why in detail
};

struct RunEnd {
  EndReason reason = EndReason::unknown;
  std::string detail;
  std::uint64_t end_ns = 0;
};

// One source of evidence and whether this run stood on it.
struct Tier {
  std::string name;  // "proc", "ebpf", "gc-uprobes", "inspector", "fd-events", "page-faults"
  bool on = false;
  std::string detail;  // what it gave, or why it was off
};

// Recorded when the cycle has settled; a cycle without this row was cut off.
struct Cycle {
  std::uint32_t number = 0;       // from 1
  std::uint32_t dose = 0;         // connections asked for; 0 for an idle control
  std::uint32_t established = 0;  // with a mode that ends before that: reached the target
  std::uint64_t start_ns = 0;
  std::uint64_t end_ns = 0;
  CloseMode close_mode = CloseMode::clean;  // of its connections, or of those around an idle one
};

struct PhaseSpan {
  std::uint32_t cycle = 0;
  Phase phase = Phase::before;
  std::uint64_t start_ns = 0;
  std::uint64_t end_ns = 0;
  bool hit_cap = false;            // settle only: ended by the cap
  std::uint32_t sockets_left = 0;  // settle only: this cycle's sockets still there at its end
};

struct Gauge {
  std::uint32_t cycle = 0;
  Point point = Point::settled;
  GaugeKind kind = GaugeKind::rss;
  std::uint64_t ts_ns = 0;
  std::int64_t value = 0;
};

// RSS polled from /proc/PID/statm through the whole run.
struct TimelinePoint {
  std::uint64_t ts_ns = 0;
  std::uint64_t rss_bytes = 0;
};

enum class Stage : std::uint8_t { none = 0, connect, upgrade, exchange, hold, close };

// One driven connection, as the client saw it. Joins SocketLife by local_port == remote_port.
struct Connection {
  std::uint64_t id = 0;  // unique in the run; what {id} was replaced with
  std::uint32_t cycle = 0;
  std::uint16_t local_port = 0;
  CloseMode close_mode = CloseMode::clean;
  bool slow = false;                 // stopped reading once it was established
  std::uint64_t scheduled_ns = 0;    // when it was to start; 0: as soon as there was room
  std::uint64_t start_ns = 0;        // connect() called
  std::uint64_t connected_ns = 0;    // TCP handshake done
  std::uint64_t secured_ns = 0;      // TLS handshake done (wss, https)
  std::uint64_t upgraded_ns = 0;     // WebSocket upgrade done (ws only)
  std::uint64_t answered_ns = 0;     // first expected answer
  std::uint64_t established_ns = 0;  // last expected answer, or connected/upgraded without one
  std::uint64_t closed_ns = 0;       // our side knows the connection is over
  std::uint64_t messages_sent = 0;
  std::uint64_t messages_received = 0;
  std::uint64_t bytes_received = 0;
  bool server_closed = false;     // the server's FIN came (in answer to our close, or before)
  bool close_timed_out = false;   // the server did not close within the timeout
  Stage failed_at = Stage::none;  // none: no error
  std::int32_t error_code = 0;    // errno, 0 when none applies
  std::int32_t http_status = 0;   // answer to the upgrade or request, 0 when none came
  std::string error;              // one sentence part, "" when none
};

// Something the target acquired. Sockets are recorded each; mappings when they outlive a settle.
struct Resource {
  std::uint64_t id = 0;  // unique in the run
  ResourceKind kind = ResourceKind::fd;
  std::uint32_t birth_cycle = 0;  // 0: before the first cycle
  Phase birth_phase = Phase::before;
  std::uint64_t birth_ns = 0;    // 0: before the tracer came
  std::uint64_t death_ns = 0;    // 0: alive when last looked at
  std::uint64_t size_bytes = 0;  // mappings: bytes still mapped
  std::uint64_t stack_id = 0;    // 0: none
  std::int32_t pid = 0;          // the traced process that has it; 0: none is known to
  std::string label;             // fd kind, thread name, mapping's protection
};

enum class ClosedFirst : std::uint8_t { nobody = 0, target, peer };

// TCP states in the kernel's numbering (TCP_ESTABLISHED = 1 … TCP_NEW_SYN_RECV = 12).
inline constexpr std::size_t tcp_state_count = 13;

// The life of one TCP socket of the target; refines the Resource of the same id.
struct SocketLife {
  std::uint64_t resource_id = 0;
  std::string local_address;  // textual, IPv4-mapped IPv6 as IPv4
  std::string remote_address;
  std::uint16_t local_port = 0;
  std::uint16_t remote_port = 0;
  std::uint64_t established_ns = 0;
  std::uint64_t end_ns = 0;  // 0: still there
  ClosedFirst closed_first = ClosedFirst::nobody;
  std::uint8_t state = 0;  // when last seen
  std::int32_t fd = -1;    // when last seen by the fd census; -1: never or no more
  std::array<std::uint64_t, tcp_state_count> ns_in_state{};  // time spent, by state
};

// How many resources of a kind were born in a cycle, short-lived ones included.
struct BirthCount {
  ResourceKind kind = ResourceKind::mapping;
  std::uint32_t cycle = 0;
  std::uint64_t births = 0;
  std::uint64_t bytes = 0;
};

enum class Collector : std::uint8_t { scavenge = 0, mark_compact = 1, minor_mark_sweep = 2 };

struct Gc {
  std::uint64_t start_ns = 0;
  std::uint64_t end_ns = 0;
  std::int32_t tid = 0;
  std::uint32_t cycle = 0;
  Collector collector = Collector::scavenge;
  std::uint64_t used_bytes = 0;       // heap in use at the end of the GC; 0: not seen
  std::uint64_t committed_bytes = 0;  // heap committed at the end of the GC; 0: not seen
};

struct Frame {
  std::uint64_t address = 0;
  std::string module;  // file name of the mapping, "" for anonymous memory (JIT code)
  std::string symbol;  // demangled, "" when unknown
};

struct Stack {
  std::uint64_t id = 0;       // the tracer's hash of the addresses, never 0
  std::vector<Frame> frames;  // innermost first
};

// Page faults sampled 1 in `period`, by cycle and stack.
struct FaultCount {
  std::uint32_t cycle = 0;
  std::uint64_t stack_id = 0;
  std::uint32_t period = 1;
  std::uint64_t samples = 0;
};

enum class FdOperation : std::uint8_t { accept = 0, close = 1, shutdown = 2 };

// One accept, close or shutdown call of the target (only with --fd-events).
struct FdEvent {
  std::uint64_t ts_ns = 0;
  std::uint32_t cycle = 0;
  std::int32_t tid = 0;
  FdOperation operation = FdOperation::accept;
  std::int32_t fd = -1;
};

// Something the run failed to observe. Every report prints these.
struct Loss {
  std::string name;  // "ring buffer records", "stack collisions", "sockets not tracked", …
  std::uint64_t count = 0;
};

// A disturbance or remark a reader of the report should know, in one sentence.
struct Note {
  std::uint64_t ts_ns = 0;
  std::uint32_t cycle = 0;
  std::string text;
};

// Everything one run observed, in memory, each table in the order of its rows.
struct Recording {
  RunInfo run;
  RunEnd end;
  std::vector<Tier> tiers;
  std::vector<Cycle> cycles;
  std::vector<PhaseSpan> phases;
  std::vector<Gauge> gauges;
  std::vector<TimelinePoint> timeline;
  std::vector<Connection> connections;
  std::vector<Resource> resources;
  std::vector<SocketLife> sockets;
  std::vector<BirthCount> births;
  std::vector<Gc> gcs;
  std::vector<Stack> stacks;
  std::vector<FaultCount> faults;
  std::vector<FdEvent> fd_events;
  std::vector<HeapCensus> heap_censuses;
  std::vector<HeapClass> heap_classes;
  std::vector<HeapPath> heap_paths;
  std::vector<HeapPathLevel> heap_path_levels;
  std::vector<ActiveResource> active_resources;
  std::vector<HeapTimer> heap_timers;
  std::vector<SnapshotFile> snapshot_files;
  std::vector<LoopActivity> loop_activities;
  std::vector<LoopStall> loop_stalls;
  std::vector<UpstreamWait> upstream_waits;
  std::vector<DriverLoad> driver_loads;
  std::vector<Trigger> triggers;
  std::vector<LatencyBucket> latencies;
  std::vector<UnmatchedMessage> unmatched_messages;
  std::vector<SourceFile> source_files;
  std::vector<UnreadSource> unread_sources;
  std::vector<Loss> losses;
  std::vector<Note> notes;
};

// One row of any table. Resource, SocketLife, BirthCount, Loss, Tier, Stack, FaultCount and
// HeapPath replace an earlier row of the same key (id; resource_id; kind, cycle; name; name; id;
// cycle, stack_id; id).
using Record =
    std::variant<RunInfo, RunEnd, Tier, Cycle, PhaseSpan, Gauge, TimelinePoint, Connection,
                 Resource, SocketLife, BirthCount, Gc, Stack, FaultCount, FdEvent, HeapCensus,
                 HeapClass, HeapPath, HeapPathLevel, ActiveResource, HeapTimer, SnapshotFile,
                 LoopActivity, LoopStall, UpstreamWait, DriverLoad, Trigger, LatencyBucket,
                 UnmatchedMessage, SourceFile, UnreadSource, Loss, Note>;

}  // namespace ebbtide
