#include "analysis/report/load_advice.h"

#include <fmt/format.h>

#include <algorithm>

#include "analysis/format.h"
#include "analysis/load/bottleneck.h"
#include "analysis/load/levels_answer.h"

namespace ebbtide {
namespace {

constexpr double stall_worth_a_look = 0.05;
constexpr double large_overhead_bytes = 64 * 1024;

std::string advice_for(LimitCause cause) {
  switch (cause) {
    case LimitCause::own_limit:
      return "Raise this machine's own limit (`ulimit -n`, `net.ipv4.ip_local_port_range`) and "
             "measure again: the server was not at its limit.";
    case LimitCause::target_died:
      return "Find why the target ended (its log, `dmesg`) before anything else.";
    case LimitCause::refusal:
      return "The application itself turns connections away (a rate limiter, a cap, an "
             "authorisation). "
             "If that is meant, this is its limit; to see the server's, lift it for the test.";
    case LimitCause::backlog:
      return "Give the listening socket a larger backlog (`server.listen({ backlog })` and "
             "`net.core.somaxconn`), and shorten the event loop's longest turn: nobody accepts "
             "during it.";
    case LimitCause::fd_limit:
      return "Raise the server's limit of open files (`ulimit -n`, `LimitNOFILE=` in its unit).";
    case LimitCause::loop:
      return "The event loop is the limit: take a CPU profile of it at this level, or spread the "
             "connections over several processes.";
    case LimitCause::memory:
      return "Memory is the limit: give the server more, or lower what a connection takes.";
    case LimitCause::dropped:
      return "Find why the server ends connections that are idle (a heartbeat that is late, a cap, "
             "an "
             "error in a handler).";
    case LimitCause::failures:
      return "Look up the failure above in the server's log at the level where it begins.";
    case LimitCause::none:
      break;
  }
  return "";
}

std::string advice_for(const BroadcastAssessment& assessment) {
  switch (assessment.bottleneck) {
    case Bottleneck::no_trigger:
      return "Make the trigger succeed first (its URL, body and headers); nothing else here "
             "counts.";
    case Bottleneck::driver:
      return "Measure again with fewer subscribers or a lower `--rate`, or from another machine: "
             "these figures are the tool's.";
    case Bottleneck::dependency:
      return "Look at the peer that is waited for and at the way to it (queries, indexes, pool "
             "size) "
             "before the WebSocket layer; or broadcast first and write afterwards.";
    case Bottleneck::trigger:
      return broadcasts_later(assessment)
                 ? "Look at what stands between the trigger's answer and the broadcast: a timer, a "
                   "queue, a batch."
                 : "Profile the trigger's handler before the WebSocket layer.";
    case Bottleneck::machine:
      return "Run the server, its database and this tool where they have CPUs enough, and measure "
             "again: what is told of the server's speed is the machine's.";
    case Bottleneck::loop:
    case Bottleneck::cpu:
      return "Serialise each message once for all clients, leave permessage-deflate off for small "
             "ones, and take a CPU profile while triggers run.";
    case Bottleneck::send_queue:
      return "Watch `bufferedAmount` (or the return value of `send`) and drop or close clients "
             "that "
             "do not keep up.";
    case Bottleneck::none:
      break;
  }
  return "";
}

}  // namespace

std::vector<std::string> connections_advice(const LevelsAssessment& assessment) {
  std::vector<std::string> advice;
  if (std::string text = advice_for(assessment.limit.cause); !text.empty()) {
    advice.push_back(std::move(text));
  }
  const ConnectionCost* rss = cost_named(assessment, "RSS");
  if (rss != nullptr && rss->interval.low > large_overhead_bytes) {
    const ConnectionCost* heap = cost_named(assessment, "V8 heap reachable");
    const bool in_heap = heap != nullptr && heap->interval.low > *rss->per_connection / 2;
    advice.push_back(fmt::format(
        "{} of RSS per connection is a lot{}", bytes_text(*rss->per_connection),
        in_heap
            ? fmt::format(", {} of it in the JavaScript heap: `ebbtide heap --pid PID` while "
                          "connections are up says of what.",
                          bytes_text(*heap->per_connection))
            : ": permessage-deflate contexts and per-connection buffers are the usual owners."));
  }
  return advice;
}

std::vector<std::string> broadcast_advice(const BroadcastAssessment& assessment) {
  std::vector<std::string> advice;
  if (std::string text = advice_for(assessment); !text.empty()) advice.push_back(std::move(text));
  if (assessment.deliveries.lost > 0) {
    advice.push_back(
        "Find where messages get lost: errors of `send` that nobody reads, clients "
        "that are skipped, subscriptions that are not yet there.");
  }
  if (assessment.deliveries.copies > 0) {
    advice.push_back("Find who subscribes a client twice: messages come more than once.");
  }
  if (assessment.slow && assessment.slow->grows) {
    advice.push_back(
        "Bound what is buffered for a client that does not read (`bufferedAmount`, "
        "`terminate`): the server's memory grows for it.");
  }
  const auto long_stalls = std::ranges::count_if(assessment.stalls, [](const LoopStall& stall) {
    return static_cast<double>(stall.duration_ns) * 1e-9 > stall_worth_a_look;
  });
  if (long_stalls > 0) {
    advice.push_back(
        fmt::format("Shorten the event loop's {} over 50 ms: every client waits during them.",
                    counted(static_cast<std::uint64_t>(long_stalls), "turn")));
  }
  return advice;
}

}  // namespace ebbtide
