// Answers: which columns hold each struct of load.h and source_file.h? The second part of tables.h.
#pragma once

#include <string_view>

#include "recording/load.h"
#include "recording/source_file.h"

namespace ebbtide {

template <class T>
struct Table;

template <>
struct Table<LoopActivity> {
  static constexpr std::string_view name = "loop_activity";
  static constexpr std::string_view key = "";
  static constexpr void fields(auto& row, auto&& visit) {
    visit("cycle", row.cycle);
    visit("phase", row.phase);
    visit("pid", row.pid);
    visit("tid", row.tid);
    visit("turns", row.turns);
    visit("busy_ns", row.busy_ns);
    visit("waiting_ns", row.waiting_ns);
    visit("longest_ns", row.longest_ns);
    visit("longest_start_ns", row.longest_start_ns);
    visit("cpu_ns", row.cpu_ns);
    visit("delayed_ns", row.delayed_ns);
  }
};

template <>
struct Table<LoopStall> {
  static constexpr std::string_view name = "loop_stall";
  static constexpr std::string_view key = "";
  static constexpr void fields(auto& row, auto&& visit) {
    visit("cycle", row.cycle);
    visit("phase", row.phase);
    visit("pid", row.pid);
    visit("tid", row.tid);
    visit("start_ns", row.start_ns);
    visit("duration_ns", row.duration_ns);
  }
};

template <>
struct Table<UpstreamWait> {
  static constexpr std::string_view name = "upstream_wait";
  static constexpr std::string_view key = "";
  static constexpr void fields(auto& row, auto&& visit) {
    visit("cycle", row.cycle);
    visit("phase", row.phase);
    visit("address", row.address);
    visit("port", row.port);
    visit("answers", row.answers);
    visit("total_ns", row.total_ns);
    visit("longest_ns", row.longest_ns);
  }
};

template <>
struct Table<DriverLoad> {
  static constexpr std::string_view name = "driver_load";
  static constexpr std::string_view key = "";
  static constexpr void fields(auto& row, auto&& visit) {
    visit("cycle", row.cycle);
    visit("phase", row.phase);
    visit("span_ns", row.span_ns);
    visit("cpu_ns", row.cpu_ns);
    visit("messages_sent", row.messages_sent);
    visit("messages_received", row.messages_received);
    visit("bytes_received", row.bytes_received);
  }
};

template <>
struct Table<Trigger> {
  static constexpr std::string_view name = "trigger_sent";
  static constexpr std::string_view key = "";
  static constexpr void fields(auto& row, auto&& visit) {
    visit("number", row.number);
    visit("cycle", row.cycle);
    visit("scheduled_ns", row.scheduled_ns);
    visit("sent_ns", row.sent_ns);
    visit("answered_ns", row.answered_ns);
    visit("http_status", row.http_status);
    visit("error", row.error);
    visit("expected", row.expected);
    visit("delivered", row.delivered);
    visit("duplicates", row.duplicates);
    visit("reordered", row.reordered);
    visit("first_ns", row.first_ns);
    visit("last_ns", row.last_ns);
  }
};

template <>
struct Table<LatencyBucket> {
  static constexpr std::string_view name = "latency";
  static constexpr std::string_view key = "";
  static constexpr void fields(auto& row, auto&& visit) {
    visit("cycle", row.cycle);
    visit("kind", row.kind);
    visit("lower_ns", row.lower_ns);
    visit("upper_ns", row.upper_ns);
    visit("count", row.count);
  }
};

template <>
struct Table<UnmatchedMessage> {
  static constexpr std::string_view name = "unmatched_message";
  static constexpr std::string_view key = "";
  static constexpr void fields(auto& row, auto&& visit) {
    visit("cycle", row.cycle);
    visit("count", row.count);
    visit("sample", row.sample);
  }
};

template <>
struct Table<SourceFile> {
  static constexpr std::string_view name = "source_file";
  static constexpr std::string_view key = "";
  static constexpr void fields(auto& row, auto&& visit) {
    visit("path", row.path);
    visit("text", row.text);
    visit("location", row.location);
  }
};

template <>
struct Table<UnreadSource> {
  static constexpr std::string_view name = "unread_source";
  static constexpr std::string_view key = "";
  static constexpr void fields(auto& row, auto&& visit) {
    visit("path", row.path);
    visit("why", row.why);
  }
};

}  // namespace ebbtide
