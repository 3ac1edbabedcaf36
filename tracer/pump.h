// Answers: what does the tracer's thread do? It waits on a timer, the queue and the target's death;
// drains the ring buffer, polls RSS and serves measurements, and it alone writes the recording.
#pragma once

#include <atomic>
#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <thread>
#include <unordered_set>
#include <variant>
#include <vector>

#include "tracer/bounded_queue.h"
#include "tracer/bpf_session.h"
#include "tracer/gauges.h"
#include "tracer/loop_table.h"
#include "tracer/resource_table.h"
#include "tracer/symbolizer.h"
#include "tracer/tracer.h"

namespace ebbtide {

class Tracer::Pump {
 public:
  // `session` may be null: /proc alone.
  Pump(Target target, std::unique_ptr<BpfSession> session,
       std::unique_ptr<RecordingWriter> recording);
  ~Pump();

  // Writes what the target has before the run and starts the thread.
  Result<void> start(std::vector<Tier> tiers, const TracerOptions& options);

  void set_epoch(std::uint32_t cycle, Phase phase);
  [[nodiscard]] Activity activity() const;
  [[nodiscard]] const std::vector<Tier>& tiers() const { return tiers_; }
  void record(Record row) { queue_.push(std::move(row)); }
  void measure(std::uint32_t cycle, Point point, std::vector<Gauge> extra, Measured done);
  Result<RunEnd> finish(RunEnd end);

 private:
  struct Measurement {
    std::uint32_t cycle = 0;
    Point point = Point::settled;
    std::vector<Gauge> extra;
    Measured done;
  };
  struct Finish {
    RunEnd end;
  };
  struct PhaseStart {
    std::uint32_t epoch = 0;
    std::uint64_t start_ns = 0;
  };
  using Command = std::variant<Record, Measurement, Finish, PhaseStart>;

  Tier open_malloc();
  void run();
  void wait_for_work();
  bool serve_commands();  // false: the run is over
  void drain();
  void poll_rss();
  void serve(Measurement& request);
  void write_end(RunEnd end);
  void write_load(std::optional<std::uint64_t> end_ns);
  void take_censuses(std::uint32_t cycle, const Observation& seen);
  void add_holders(const Measurement& request, const Observation& seen, std::vector<Gauge>& gauges);
  void add_malloc(const Measurement& request, std::vector<Gauge>& gauges);
  void note_new_workers(std::uint32_t cycle);
  void note(std::uint32_t cycle, std::string text);
  void write_stack(std::uint64_t id, std::int32_t pid);
  Symbolizer& symbolizer_of(std::int32_t pid);
  void write_losses();
  void write_faults();
  [[nodiscard]] std::uint32_t epoch() const { return epoch_.load(std::memory_order_relaxed); }

  Target target_;
  std::unique_ptr<BpfSession> session_;
  std::unique_ptr<RecordingWriter> recording_;
  std::vector<Tier> tiers_;
  TracerOptions options_;
  ResourceTable resources_;
  LoopTable loops_;
  std::map<std::int32_t, Symbolizer> symbolizers_;  // by pid
  std::unordered_set<std::uint64_t> written_stacks_;
  std::vector<MallocCensus> mallocs_;  // of each process; empty when one cannot be read
  std::uint64_t malloc_read_ns_ = 0;   // when they were last read, and how long that took
  std::uint64_t malloc_took_ns_ = 0;

  BoundedQueue<Command> queue_;
  std::vector<int> process_fds_;  // pidfds: readable once the process is gone
  std::uint64_t oom_kills_at_start_ = 0;
  std::atomic<std::uint32_t> epoch_ = 0;
  std::atomic<bool> target_gone_ = false;
  std::atomic<std::uint64_t> cycle_start_ticks_ = 0;
  std::uint32_t accepted_before_cycle_ = 0;  // without eBPF: connections up when it began
  std::uint64_t corrected_bytes_ = 0;        // of the rebuilt mappings
  bool noted_holders_ = false;
  bool noted_new_workers_ = false;
  bool noted_malloc_ = false;
  std::uint64_t next_poll_ns_ = 0;
  Result<RunEnd> outcome_ = RunEnd{};
  std::thread thread_;
};

}  // namespace ebbtide
