// Answers: what did the person ask for? The command line as data, checked; run_*() act on it.
#pragma once

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <utility>
#include <variant>
#include <vector>

#include "analysis/review/review.h"
#include "driver/broadcast.h"
#include "driver/plan.h"
#include "recording/result.h"

namespace ebbtide {

// What every run has: whom to observe, how to talk to it, which evidence to take, and where the
// results go.
struct RunOptions {
  std::string url;  // as given
  ConnectionPlan connection;
  std::vector<CloseMode> close_modes;  // the first is the connection's; leak tries the others, too
  bool allow_remote = false;
  std::optional<std::int32_t> pid;
  std::uint32_t window = 10;  // opening at once; 0: no limit
  double rate = 0;            // connections opened per second, on a schedule; 0: none
  std::chrono::milliseconds hold{100};
  std::chrono::milliseconds settle_cap{3000};
  bool inspector = true;
  bool heap_census = true;
  bool ebpf = true;
  std::string output_directory = "profiling";
  bool quiet = false;
};

struct LeakOptions {
  RunOptions run;
  std::uint32_t cycles = 10;
  std::uint32_t max_cycles = 40;  // when `cycles` decide nothing
  std::chrono::milliseconds max_time{120'000};
  std::chrono::milliseconds cool_down{90'000};  // at most, before LEAK; 0: never
  bool every_end = false;                       // try every close mode, even when the first leaks
  std::uint32_t connections = 100;              // per cycle
  bool snapshot = false;
  bool fd_events = false;
  std::vector<std::string> source;  // of the server; empty: found by its process
  bool review = true;
  std::uint32_t fault_period = 0;
};

struct ConnectionsOptions {
  RunOptions run;
  std::vector<std::uint32_t> levels{10, 50, 100, 500, 1000};  // ascending
};

struct BroadcastOptions {
  RunOptions run;
  std::uint32_t clients = 100;  // run.connection.slow of them stop reading
  TriggerPlan trigger;
};

// The three after one another, each with the command line that would run it alone.
struct ProfileOptions {
  ConnectionsOptions connections;
  std::optional<BroadcastOptions> broadcast;  // nullopt: nothing says how to trigger one
  LeakOptions leak;
  std::string connections_line;
  std::string broadcast_line;
  std::string leak_line;
};

struct ReportOptions {
  std::string recording;
  std::string output_directory;  // "": beside the recording
  bool quiet = false;
};

struct CompareOptions {
  std::string before;  // a recording, or a directory of them
  std::string after;
  std::string output_directory;  // "": no report
  bool json = false;
};

struct HeapOptions {
  std::vector<std::string> snapshots;        // files, in the order they were taken
  std::optional<std::int32_t> pid;           // instead of files
  std::optional<std::uint32_t> connections;  // made between two snapshots
  bool json = false;
};

struct DoctorOptions {
  std::optional<std::int32_t> pid;
};

enum class ReviewFormat : std::uint8_t { text, markdown, json, sarif };

struct ReviewOptions {
  std::vector<std::string> paths;
  ReviewFormat format = ReviewFormat::text;
  std::optional<Severity> fail_on = Severity::error;  // nullopt: findings never fail
  bool checks = false;                                // also what was found in order
};

using Command =
    std::variant<LeakOptions, ConnectionsOptions, BroadcastOptions, ProfileOptions, ReportOptions,
                 CompareOptions, HeapOptions, DoctorOptions, ReviewOptions>;

// What to do instead of a command: print `text` (help, version, or what is wrong) and exit.
struct Answer {
  int exit_code = 0;
  std::string text;
};

// Never exits or prints by itself.
std::variant<Command, Answer> parse_command_line(int argc, const char* const* argv);

// The command line as a shell would take it back.
std::string quote_command_line(int argc, const char* const* argv);

}  // namespace ebbtide
