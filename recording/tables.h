// Answers: which columns hold each struct of run.h, and in which table? One description per struct;
// schema.h derives CREATE TABLE, the writer and the reader from it (docs/recording.md is for
// people).
#pragma once

#include <array>
#include <cstdint>
#include <string>
#include <string_view>

#include "recording/load_tables.h"
#include "recording/run.h"

namespace ebbtide {

// RunInfo::plan.steps, a row each.
struct PlanStep {
  std::uint32_t position = 0;
  std::string text;
};

// Stack::frames, a row each.
struct StackFrame {
  std::uint64_t stack_id = 0;
  std::uint32_t depth = 0;  // 0: innermost
  Frame frame;
};

inline constexpr std::array<std::string_view, tcp_state_count> tcp_state_columns = {
    "in_unknown_ns",      "in_established_ns", "in_syn_sent_ns",  "in_syn_recv_ns",
    "in_fin_wait1_ns",    "in_fin_wait2_ns",   "in_time_wait_ns", "in_close_ns",
    "in_close_wait_ns",   "in_last_ack_ns",    "in_listen_ns",    "in_closing_ns",
    "in_new_syn_recv_ns",
};

// Table<T> says `name`; `key`, the columns by which a later row replaces an earlier one ("": rows
// are only added); and fields(row, visit), which calls visit(column, field) once for every field of
// T, in order. schema.cpp counts the calls against the struct.
template <class T>
struct Table;

template <>
struct Table<PlanInfo> {  // columns of run
  static constexpr void fields(auto& row, auto&& visit) {
    visit("plan_cycles", row.cycles);
    visit("plan_connections", row.connections);
    visit("plan_window", row.window);
    visit("plan_hold_ms", row.hold_ms);
    visit("plan_timeout_ms", row.timeout_ms);
    visit("plan_settle_cap_ms", row.settle_cap_ms);
    visit("plan_close_modes", row.close_modes);
    visit("", row.steps);  // PlanStep
  }
};

template <>
struct Table<RunInfo> {
  static constexpr std::string_view name = "run";
  static constexpr std::string_view key = "";
  static constexpr void fields(auto& row, auto&& visit) {
    visit("kind", row.kind);
    visit("tool_version", row.tool_version);
    visit("command_line", row.command_line);
    visit("started_unix_s", row.started_unix_s);
    visit("start_ns", row.start_ns);
    visit("url", row.url);
    visit("pid", row.pid);
    visit("comm", row.comm);
    visit("cmdline", row.cmdline);
    visit("exe", row.exe);
    visit("runtime", row.runtime);
    visit("runtime_version", row.runtime_version);
    visit("kernel", row.kernel);
    visit("machine", row.machine);
    visit("cpus", row.cpus);
    visit("page_size_bytes", row.page_size);
    visit("fd_limit", row.fd_limit);
    visit("", row.plan);
  }
};

template <>
struct Table<PlanStep> {
  static constexpr std::string_view name = "plan_step";
  static constexpr std::string_view key = "position";
  static constexpr void fields(auto& row, auto&& visit) {
    visit("position", row.position);
    visit("text", row.text);
  }
};

template <>
struct Table<RunEnd> {
  static constexpr std::string_view name = "run_end";
  static constexpr std::string_view key = "";
  static constexpr void fields(auto& row, auto&& visit) {
    visit("reason", row.reason);
    visit("detail", row.detail);
    visit("end_ns", row.end_ns);
  }
};

template <>
struct Table<Tier> {
  static constexpr std::string_view name = "tier";
  static constexpr std::string_view key = "name";
  static constexpr void fields(auto& row, auto&& visit) {
    visit("name", row.name);
    visit("is_on", row.on);
    visit("detail", row.detail);
  }
};

template <>
struct Table<Cycle> {
  static constexpr std::string_view name = "cycle";
  static constexpr std::string_view key = "";
  static constexpr void fields(auto& row, auto&& visit) {
    visit("number", row.number);
    visit("dose", row.dose);
    visit("established", row.established);
    visit("start_ns", row.start_ns);
    visit("end_ns", row.end_ns);
    visit("close_mode", row.close_mode);
  }
};

template <>
struct Table<PhaseSpan> {
  static constexpr std::string_view name = "phase";
  static constexpr std::string_view key = "";
  static constexpr void fields(auto& row, auto&& visit) {
    visit("cycle", row.cycle);
    visit("phase", row.phase);
    visit("start_ns", row.start_ns);
    visit("end_ns", row.end_ns);
    visit("hit_cap", row.hit_cap);
    visit("sockets_left", row.sockets_left);
  }
};

template <>
struct Table<Gauge> {
  static constexpr std::string_view name = "gauge";
  static constexpr std::string_view key = "";
  static constexpr void fields(auto& row, auto&& visit) {
    visit("cycle", row.cycle);
    visit("point", row.point);
    visit("kind", row.kind);
    visit("ts_ns", row.ts_ns);
    visit("value", row.value);
  }
};

template <>
struct Table<TimelinePoint> {
  static constexpr std::string_view name = "timeline";
  static constexpr std::string_view key = "";
  static constexpr void fields(auto& row, auto&& visit) {
    visit("ts_ns", row.ts_ns);
    visit("rss_bytes", row.rss_bytes);
  }
};

template <>
struct Table<Connection> {
  static constexpr std::string_view name = "connection";
  static constexpr std::string_view key = "";
  static constexpr void fields(auto& row, auto&& visit) {
    visit("id", row.id);
    visit("cycle", row.cycle);
    visit("local_port", row.local_port);
    visit("close_mode", row.close_mode);
    visit("is_slow", row.slow);
    visit("scheduled_ns", row.scheduled_ns);
    visit("start_ns", row.start_ns);
    visit("connected_ns", row.connected_ns);
    visit("secured_ns", row.secured_ns);
    visit("upgraded_ns", row.upgraded_ns);
    visit("answered_ns", row.answered_ns);
    visit("established_ns", row.established_ns);
    visit("closed_ns", row.closed_ns);
    visit("messages_sent", row.messages_sent);
    visit("messages_received", row.messages_received);
    visit("bytes_received", row.bytes_received);
    visit("server_closed", row.server_closed);
    visit("close_timed_out", row.close_timed_out);
    visit("failed_at", row.failed_at);
    visit("error_code", row.error_code);
    visit("http_status", row.http_status);
    visit("error", row.error);
  }
};

template <>
struct Table<Resource> {
  static constexpr std::string_view name = "resource";
  static constexpr std::string_view key = "id";
  static constexpr void fields(auto& row, auto&& visit) {
    visit("id", row.id);
    visit("kind", row.kind);
    visit("birth_cycle", row.birth_cycle);
    visit("birth_phase", row.birth_phase);
    visit("birth_ns", row.birth_ns);
    visit("death_ns", row.death_ns);
    visit("size_bytes", row.size_bytes);
    visit("stack_id", row.stack_id);
    visit("pid", row.pid);
    visit("label", row.label);
  }
};

template <>
struct Table<SocketLife> {
  static constexpr std::string_view name = "socket";
  static constexpr std::string_view key = "resource_id";
  static constexpr void fields(auto& row, auto&& visit) {
    visit("resource_id", row.resource_id);
    visit("local_address", row.local_address);
    visit("remote_address", row.remote_address);
    visit("local_port", row.local_port);
    visit("remote_port", row.remote_port);
    visit("established_ns", row.established_ns);
    visit("end_ns", row.end_ns);
    visit("closed_first", row.closed_first);
    visit("tcp_state", row.state);
    visit("fd", row.fd);
    visit("", row.ns_in_state);  // tcp_state_columns
  }
};

template <>
struct Table<BirthCount> {
  static constexpr std::string_view name = "birth";
  static constexpr std::string_view key = "kind, cycle";
  static constexpr void fields(auto& row, auto&& visit) {
    visit("kind", row.kind);
    visit("cycle", row.cycle);
    visit("births", row.births);
    visit("bytes", row.bytes);
  }
};

template <>
struct Table<Gc> {
  static constexpr std::string_view name = "gc";
  static constexpr std::string_view key = "";
  static constexpr void fields(auto& row, auto&& visit) {
    visit("start_ns", row.start_ns);
    visit("end_ns", row.end_ns);
    visit("tid", row.tid);
    visit("cycle", row.cycle);
    visit("collector", row.collector);
    visit("used_bytes", row.used_bytes);
    visit("committed_bytes", row.committed_bytes);
  }
};

template <>
struct Table<Stack> {
  static constexpr std::string_view name = "stack";
  static constexpr std::string_view key = "id";
  static constexpr void fields(auto& row, auto&& visit) {
    visit("id", row.id);
    visit("", row.frames);  // StackFrame
  }
};

template <>
struct Table<Frame> {  // columns of frame
  static constexpr void fields(auto& row, auto&& visit) {
    visit("address", row.address);
    visit("module", row.module);
    visit("symbol", row.symbol);
  }
};

template <>
struct Table<StackFrame> {
  static constexpr std::string_view name = "frame";
  static constexpr std::string_view key = "stack_id, depth";
  static constexpr void fields(auto& row, auto&& visit) {
    visit("stack_id", row.stack_id);
    visit("depth", row.depth);
    visit("", row.frame);
  }
};

template <>
struct Table<FaultCount> {
  static constexpr std::string_view name = "fault";
  static constexpr std::string_view key = "cycle, stack_id";
  static constexpr void fields(auto& row, auto&& visit) {
    visit("cycle", row.cycle);
    visit("stack_id", row.stack_id);
    visit("period", row.period);
    visit("samples", row.samples);
  }
};

template <>
struct Table<FdEvent> {
  static constexpr std::string_view name = "fd_event";
  static constexpr std::string_view key = "";
  static constexpr void fields(auto& row, auto&& visit) {
    visit("ts_ns", row.ts_ns);
    visit("cycle", row.cycle);
    visit("tid", row.tid);
    visit("operation", row.operation);
    visit("fd", row.fd);
  }
};

template <>
struct Table<CodePosition> {  // columns of heap_class and heap_path
  static constexpr void fields(auto& row, auto&& visit) {
    visit("script", row.script);
    visit("line", row.line);
    visit("column", row.column);
    visit("compiled", row.compiled);
  }
};

template <>
struct Table<HeapCensus> {
  static constexpr std::string_view name = "heap_census";
  static constexpr std::string_view key = "";
  static constexpr void fields(auto& row, auto&& visit) {
    visit("cycle", row.cycle);
    visit("isolate", row.isolate);
    visit("source", row.source);
    visit("ts_ns", row.ts_ns);
    visit("pause_ns", row.pause_ns);
    visit("took_ns", row.took_ns);
    visit("objects", row.objects);
    visit("reachable_bytes", row.reachable_bytes);
    visit("handle_bytes", row.handle_bytes);
    visit("compiled_bytes", row.compiled_bytes);
    visit("garbage_bytes", row.garbage_bytes);
    visit("external_bytes", row.external_bytes);
    visit("resident_bytes", row.resident_bytes);
    visit("walked_permille", row.walked_permille);
  }
};

template <>
struct Table<HeapClass> {
  static constexpr std::string_view name = "heap_class";
  static constexpr std::string_view key = "";
  static constexpr void fields(auto& row, auto&& visit) {
    visit("cycle", row.cycle);
    visit("isolate", row.isolate);
    visit("name", row.name);
    visit("", row.position);
    visit("objects", row.objects);
    visit("bytes", row.bytes);
    visit("handle_objects", row.handle_objects);
    visit("garbage_objects", row.garbage_objects);
  }
};

template <>
struct Table<HeapPath> {
  static constexpr std::string_view name = "heap_path";
  static constexpr std::string_view key = "id";
  static constexpr void fields(auto& row, auto&& visit) {
    visit("id", row.id);
    visit("parent", row.parent);
    visit("isolate", row.isolate);
    visit("step", row.step);
    visit("edge", row.edge);
    visit("class_name", row.class_name);
    visit("", row.position);
  }
};

template <>
struct Table<HeapPathLevel> {
  static constexpr std::string_view name = "heap_path_level";
  static constexpr std::string_view key = "";
  static constexpr void fields(auto& row, auto&& visit) {
    visit("cycle", row.cycle);
    visit("path_id", row.path_id);
    visit("objects", row.objects);
    visit("bytes", row.bytes);
    visit("retained_bytes", row.retained_bytes);
    visit("entries", row.entries);
  }
};

template <>
struct Table<HeapTimer> {
  static constexpr std::string_view name = "heap_timer";
  static constexpr std::string_view key = "";
  static constexpr void fields(auto& row, auto&& visit) {
    visit("cycle", row.cycle);
    visit("isolate", row.isolate);
    visit("", row.callback);
    visit("delay_ms", row.delay_ms);
    visit("repeats", row.repeats);
    visit("count", row.count);
  }
};

template <>
struct Table<ActiveResource> {
  static constexpr std::string_view name = "active_resource";
  static constexpr std::string_view key = "";
  static constexpr void fields(auto& row, auto&& visit) {
    visit("cycle", row.cycle);
    visit("kind", row.kind);
    visit("count", row.count);
  }
};

template <>
struct Table<SnapshotFile> {
  static constexpr std::string_view name = "snapshot_file";
  static constexpr std::string_view key = "";
  static constexpr void fields(auto& row, auto&& visit) {
    visit("cycle", row.cycle);
    visit("ts_ns", row.ts_ns);
    visit("took_ns", row.took_ns);
    visit("size_bytes", row.size_bytes);
    visit("path", row.path);
  }
};

template <>
struct Table<Loss> {
  static constexpr std::string_view name = "loss";
  static constexpr std::string_view key = "name";
  static constexpr void fields(auto& row, auto&& visit) {
    visit("name", row.name);
    visit("count", row.count);
  }
};

template <>
struct Table<Note> {
  static constexpr std::string_view name = "note";
  static constexpr std::string_view key = "";
  static constexpr void fields(auto& row, auto&& visit) {
    visit("ts_ns", row.ts_ns);
    visit("cycle", row.cycle);
    visit("text", row.text);
  }
};

}  // namespace ebbtide
