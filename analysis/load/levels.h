// Answers: what happens at each number of connections, what does one of them cost, and from how
// many on does the target degrade? docs/method.md says how cost is estimated.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "analysis/load/failure_reasons.h"
#include "analysis/load/latencies.h"
#include "analysis/load/server_use.h"
#include "analysis/statistics.h"
#include "recording/run.h"

namespace ebbtide {

// One level. Latencies are of the connections that got so far; the others are among `failures`.
struct LevelReport {
  std::uint32_t cycle = 0;
  std::uint64_t attempted = 0;
  std::uint64_t established = 0;
  std::uint64_t open = 0;                     // of those, still up at the end of the hold
  bool finished = false;                      // else the run ended in it
  std::vector<FailureReason> failures;        // the most frequent first
  std::optional<double> establish_seconds;    // first connect() to last established
  bool scheduled = false;                     // `connect` and `whole` count from the schedule
  Latencies connect;                          // TCP
  Latencies secure;                           // TLS
  Latencies upgrade;                          // WebSocket
  Latencies answer;                           // from there to the first expected answer
  Latencies whole;                            // from connect() to established
  std::uint64_t near_1s = 0;                  // connects whose first SYN was lost
  std::uint64_t near_3s = 0;                  // … and the second
  std::optional<double> received_per_second;  // messages from the server during the hold
  std::optional<double> sent_per_second;      // … and to it
  std::vector<LevelOfUse> uses;
  std::vector<CpuUse> cpu;
  std::vector<LoopUse> loops;
  std::optional<std::uint64_t> overflows;  // of the accept queue
  std::optional<std::uint64_t> drops;      // SYNs dropped, overflows among them
  std::optional<std::int64_t> swapped;     // growth of swap while held
  std::optional<double> driver_share;      // of one CPU, while opening
};

// What one open connection takes, over all finished levels.
struct ConnectionCost {
  std::string subject;
  std::uint32_t levels = 0;                   // n
  std::optional<double> per_connection = {};  // bytes; absent with fewer than three levels
  Interval interval = {};
  double fixed = 0;                       // bytes that the first connection brings with it
  std::optional<double> at_largest = {};  // growth / connections of the largest level
  double largest = 0;                     // its connections
};

enum class LimitCause : std::uint8_t {
  none = 0,
  own_limit,
  target_died,
  refusal,
  backlog,
  fd_limit,
  loop,
  memory,
  dropped,
  failures,
};

std::string_view limit_cause_name(LimitCause cause);  // for JSON: "fd_limit"

struct Limit {
  LimitCause cause = LimitCause::none;
  std::size_t level = 0;  // index of the level that degraded
  std::string reason;     // a sentence part; may hold what the target controls
};

struct LevelsAssessment {
  std::string sentence;  // the answer; may hold what the target controls
  std::vector<LevelReport> levels;
  std::vector<ConnectionCost> costs;
  Limit limit;
  std::uint64_t held = 0;     // connections of the largest level that did not degrade
  std::string opening_bound;  // what opening waits for, a sentence part; "" when not known
  std::string extrapolation;  // marked as one; "" when there is nothing to extrapolate from
  double confidence = 0.95;
};

LevelsAssessment assess_levels(const Recording& recording);

}  // namespace ebbtide
