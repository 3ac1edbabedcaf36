// Answers: what did the target and the driver do while connections were up? Rows of run.h that
// `ebbtide connections` and `ebbtide broadcast` add to a recording.
#pragma once

#include <cstdint>
#include <string>

#include "recording/phase.h"

namespace ebbtide {

// How a driven connection ends.
enum class CloseMode : std::uint8_t {
  clean = 0,        // the protocol's goodbye, then the server's FIN is awaited
  fin,              // FIN without a goodbye (no close frame)
  rst,              // RST
  terminate,        // goodbye and RST at once, nothing awaited
  early,            // RST right after the first send, before any answer
  half_open,        // no word at all: it stops reading and stays, until the server lets go
  abort_handshake,  // every other: FIN in the middle of the upgrade request; the rest: RST soon
                    // behind the whole of it
  wrong_path,       // an upgrade to a path that the server does not serve, then FIN
};

// One thread's event loop in one phase: turns are the stretches between two waits for events.
struct LoopActivity {
  std::uint32_t cycle = 0;
  Phase phase = Phase::before;
  std::int32_t pid = 0;
  std::int32_t tid = 0;
  std::uint64_t turns = 0;
  std::uint64_t busy_ns = 0;     // in turns, on or off a CPU
  std::uint64_t waiting_ns = 0;  // in epoll_wait
  std::uint64_t longest_ns = 0;  // the longest turn
  std::uint64_t longest_start_ns = 0;
  std::uint64_t cpu_ns = 0;      // that the thread ran
  std::uint64_t delayed_ns = 0;  // ready to run, without a CPU
};

// A turn so long that everybody else waited for it.
struct LoopStall {
  std::uint32_t cycle = 0;
  Phase phase = Phase::before;
  std::int32_t pid = 0;
  std::int32_t tid = 0;
  std::uint64_t start_ns = 0;
  std::uint64_t duration_ns = 0;
};

// What the target waited for on its outgoing connections to one peer in one phase: from the last
// bytes it sent to the first bytes that answered.
struct UpstreamWait {
  std::uint32_t cycle = 0;
  Phase phase = Phase::before;
  std::string address;
  std::uint16_t port = 0;
  std::uint64_t answers = 0;
  std::uint64_t total_ns = 0;
  std::uint64_t longest_ns = 0;
};

// What one phase cost the driver itself, and what passed through it.
struct DriverLoad {
  std::uint32_t cycle = 0;
  Phase phase = Phase::before;
  std::uint64_t span_ns = 0;
  std::uint64_t cpu_ns = 0;  // of the driver's threads
  std::uint64_t messages_sent = 0;
  std::uint64_t messages_received = 0;
  std::uint64_t bytes_received = 0;
};

// One request or message that makes the server broadcast. Deliveries are matched by its token.
struct Trigger {
  std::uint64_t number = 0;  // unique in the run; what {n} was replaced with
  std::uint32_t cycle = 0;
  std::uint64_t scheduled_ns = 0;  // 0 without a schedule (before version 5: when it was begun)
  std::uint64_t sent_ns = 0;
  std::uint64_t answered_ns = 0;  // 0: no answer, or none is expected
  std::int32_t http_status = 0;   // 0: none came
  std::string error;              // "" when none
  std::uint64_t expected = 0;     // clients subscribed when it was sent
  std::uint64_t delivered = 0;    // of those, got it at least once
  std::uint64_t duplicates = 0;   // further copies
  // Came to a client after the message of a later trigger: one sent when this one was answered, or
  // over the same connection.
  std::uint64_t reordered = 0;
  std::uint64_t first_ns = 0;  // receipt by the first client, and by the last
  std::uint64_t last_ns = 0;
};

enum class LatencyKind : std::uint8_t {
  delivery = 0,  // from a trigger sent to its message at a client, by the kernel's time stamp
  after_answer,  // from a trigger answered to its message at a client; only what came later
  reading,       // from the kernel's time stamp to when the driver had read it: the driver's lag
};

// How many of a cycle's latencies fell into [lower_ns, upper_ns); the buckets of latency.h.
struct LatencyBucket {
  std::uint32_t cycle = 0;
  LatencyKind kind = LatencyKind::delivery;
  std::uint64_t lower_ns = 0;
  std::uint64_t upper_ns = 0;
  std::uint64_t count = 0;
};

// Messages that clients got and that carry no token of ours.
struct UnmatchedMessage {
  std::uint32_t cycle = 0;
  std::uint64_t count = 0;
  std::string sample;  // the first of them, cut
};

}  // namespace ebbtide
