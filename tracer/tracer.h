// Answers: how is one live target observed from attach to report, and who writes it down? A thread
// of the tracer's own drains the ring buffer, polls RSS, reads the gauges and owns the recording;
// other threads reach it only through a bounded queue and the epoch word.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "recording/result.h"
#include "recording/run.h"
#include "recording/writer.h"
#include "tracer/target.h"

namespace ebbtide {

struct TracerOptions {
  bool ebpf = true;                     // false: /proc alone
  bool fd_events = false;               // record every accept, close and shutdown
  bool event_loop = false;              // time the turns of event loops
  bool upstream = false;                // time the answers on outgoing connections
  std::uint32_t fault_period = 0;       // sample 1 page fault in so many; 0: none
  std::uint32_t ring_bytes = 4U << 20;  // a power of two
};

// What the target is doing, cheap enough to ask every few milliseconds.
struct Activity {
  std::uint64_t rss_bytes = 0;
  std::uint32_t live_sockets = 0;  // accepted in the current cycle and not yet at TCP_CLOSE
  std::uint64_t events = 0;        // sockets born or ended, mappings changed; only ever grows
  bool target_gone = false;
};

class Tracer {
 public:
  // Attaches to the target and starts to write `recording`: the tiers' rows come first. Without
  // eBPF (refused by `options` or by the kernel, then with a tier row that says why) it observes
  // through /proc. Errors: the process cannot be looked at in either way.
  static Result<std::unique_ptr<Tracer>> attach(const Target& target, const TracerOptions& options,
                                                std::unique_ptr<RecordingWriter> recording);
  ~Tracer();
  Tracer(const Tracer&) = delete;
  Tracer& operator=(const Tracer&) = delete;

  // The tiers this tracer stands on.
  [[nodiscard]] const std::vector<Tier>& tiers() const;

  // From now on resources are born in this cycle and phase.
  void set_epoch(std::uint32_t cycle, Phase phase);

  [[nodiscard]] Activity activity() const;

  // Adds a row to the recording; blocks while the queue is full.
  void record(Record row);

  // Reads all gauges and, at Point::settled, takes the censuses, writes what the phases that are
  // over have shown, and commits what the run has so far. `done` runs on the tracer's thread with
  // what was read; `extra` is recorded beside it.
  using Measured = std::function<void(const std::vector<Gauge>& gauges)>;
  void measure(std::uint32_t cycle, Point point, std::vector<Gauge> extra, Measured done);

  // Writes the losses and how the run ended (if the target is gone: how that ended), commits, and
  // detaches. Returns the end as written.
  Result<RunEnd> finish(RunEnd end);

 private:
  class Pump;
  explicit Tracer(std::unique_ptr<Pump> pump);
  std::unique_ptr<Pump> pump_;
};

}  // namespace ebbtide
