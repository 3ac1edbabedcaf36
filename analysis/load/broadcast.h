// Answers: when one client makes the server broadcast, is every message delivered once, how soon,
// and what is it that one waits for?
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "analysis/load/latencies.h"
#include "analysis/load/levels.h"
#include "analysis/load/server_use.h"
#include "recording/run.h"

namespace ebbtide {

// A trigger is well when it was answered below 400, or needs no answer. Deliveries are expected of
// those alone.
struct DeliveryCounts {
  std::uint64_t triggers = 0;
  std::uint64_t well = 0;
  std::uint64_t expected = 0;   // messages: subscribers summed over the triggers that were well
  std::uint64_t delivered = 0;  // of those, at least once
  std::uint64_t lost = 0;
  std::uint64_t copies = 0;      // further ones
  std::uint64_t reordered = 0;   // after a later trigger's message
  bool tokens_seen = true;       // false: messages came, none with a token; nothing is known then
  std::uint64_t unexpected = 0;  // delivered although the trigger failed
};

// What the target waited for on its own connections to one peer while the triggers ran.
struct UpstreamUse {
  std::string address;
  std::uint16_t port = 0;
  std::uint64_t answers = 0;
  double mean_seconds = 0;
  double longest_seconds = 0;
  std::optional<double> trigger_share = {};  // waits / the time that triggers took, both summed
  double outstanding = 0;                    // mean number of waits at a time
  std::uint64_t connections = 0;             // of the target to that peer; 0: not seen
};

enum class Bottleneck : std::uint8_t {
  none = 0,
  no_trigger,  // none was answered well
  driver,      // the measurement is bounded by the tool
  dependency,  // a peer that the target waits for
  trigger,     // the trigger's own work, of which nothing is known
  loop,
  cpu,
  send_queue,
  machine,  // others have the CPU
};

std::string_view bottleneck_name(Bottleneck bottleneck);  // for JSON: "send_queue"

struct SlowReaders {
  std::uint64_t clients = 0;
  std::optional<double> kernel_growth;   // send queues, bytes
  std::optional<double> process_growth;  // heap and Buffers, else RSS
  std::string process_subject;           // which of the two
  std::optional<double> unread;          // at most: what the others got, less the kernel's part
  bool grows = false;
};

struct BroadcastAssessment {
  std::string sentence;  // the answer; may hold what the target controls
  Bottleneck bottleneck = Bottleneck::none;
  std::string waits_for;  // the bottleneck in one sentence
  std::uint64_t attempted = 0;
  std::uint64_t subscribers = 0;
  std::vector<FailureReason> client_failures;
  DeliveryCounts deliveries;
  std::vector<FailureReason> trigger_failures;
  std::optional<double> triggers_per_second;    // answered well
  std::optional<double> deliveries_per_second;  // copies aside
  Latencies delivery;                           // from trigger sent, by the kernel's time stamp
  Latencies after_answer;                       // from trigger answered; only what came later
  Latencies reading;                            // the driver's own lag
  Latencies first;                  // from trigger sent to the first client, one per trigger
  Latencies spread;                 // first to last client, one per trigger
  Latencies answer;                 // trigger sent to answered
  Latencies lag;                    // trigger scheduled to sent; empty without a schedule
  std::uint64_t lag_of_driver = 0;  // of those over 1 ms, with a free place to send from
  double under_way = 0;             // triggers sent and not yet answered, mean
  std::int64_t most_under_way = 0;
  bool sent_on_delivery = false;              // each as soon as somebody had the one before
  std::optional<double> before_first_share;   // of the delivery latency: until the first client
  std::optional<double> before_answer_share;  // of the delivery latency, summed over all messages
  std::vector<UpstreamUse> upstreams;         // the longest waits first
  std::vector<CpuUse> cpu;
  std::optional<double> user_per_delivery;  // seconds, during the triggers
  std::optional<double> system_per_delivery;
  std::vector<LoopUse> loops;
  std::vector<LoopStall> stalls;            // during the triggers, the longest first
  std::optional<double> driver_share;       // of one CPU, during the triggers
  std::optional<double> send_queue_growth;  // bytes, over `opened`
  std::vector<LevelOfUse> uses;
  std::optional<double> rss_peak;  // during the triggers
  std::optional<SlowReaders> slow;
  std::uint64_t unmatched = 0;   // messages without a token of ours
  std::string unmatched_sample;  // what the target controls
};

BroadcastAssessment assess_broadcast(const Recording& recording);

}  // namespace ebbtide
