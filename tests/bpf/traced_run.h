// Answers: what did the tracer write down about a subject? Attach, act, settle, read back.
#pragma once

#include <gtest/gtest.h>

#include <chrono>
#include <future>
#include <memory>
#include <string>
#include <thread>
#include <vector>

#include "recording/names.h"
#include "recording/reader.h"
#include "tests/temporary_directory.h"
#include "tracer/proc.h"
#include "tracer/target.h"
#include "tracer/tracer.h"

namespace ebbtide {

class TracedRun {
 public:
  explicit TracedRun(std::int32_t pid, TracerOptions options = {})
      : TracedRun(std::vector{pid}, options) {}

  explicit TracedRun(const std::vector<std::int32_t>& pids, TracerOptions options = {}) {
    Target target;
    target.process = identify_process(pids.front()).value();
    for (const std::int32_t pid : pids)
      target.processes.push_back({.pid = pid, .start_ticks = start_ticks(pid)});
    target.netns = network_namespace(pids.front());
    target.listeners = read_listeners(pids.front()).value();
    auto writer = RecordingWriter::create(path());
    EXPECT_TRUE(writer) << writer.error().message();
    (*writer)->add(RunInfo{});
    auto tracer = Tracer::attach(target, options, *std::move(writer));
    EXPECT_TRUE(tracer) << tracer.error().message();
    tracer_ = *std::move(tracer);
    for (const Tier& tier : tracer_->tiers()) {
      if (tier.name == "ebpf") {
        EXPECT_EQ(tier.on, options.ebpf) << tier.detail;
      }
    }
  }

  Tracer& tracer() { return *tracer_; }

  // The last steps of a close happen in the kernel, after the call that asked for it has returned.
  void wait_for_no_sockets() {
    const auto deadline = std::chrono::steady_clock::now() + std::chrono::seconds(10);
    while (tracer_->activity().live_sockets > 0 && std::chrono::steady_clock::now() < deadline)
      std::this_thread::sleep_for(std::chrono::milliseconds(5));
    EXPECT_EQ(tracer_->activity().live_sockets, 0U);
  }

  void settle(std::uint32_t cycle) {
    tracer_->set_epoch(cycle, Phase::settle);
    measure(cycle, Point::settled);
  }

  void measure(std::uint32_t cycle, Point point) {
    std::promise<void> measured;
    tracer_->measure(cycle, point, {}, [&](const auto&) { measured.set_value(); });
    measured.get_future().wait();
  }

  // Ends the run and reads what was written.
  Recording finish() {
    const auto end = tracer_->finish({EndReason::completed, "", 0});
    EXPECT_TRUE(end) << end.error().message();
    tracer_.reset();
    auto recording = read_recording(path());
    EXPECT_TRUE(recording) << recording.error().message();
    return *std::move(recording);
  }

 private:
  [[nodiscard]] std::string path() const { return directory_.file("run.ebbtide"); }

  TemporaryDirectory directory_;
  std::unique_ptr<Tracer> tracer_;
};

// The losses by name; every test asserts what it expects of them.
inline std::uint64_t loss_of(const Recording& recording, const std::string& name) {
  for (const Loss& loss : recording.losses) {
    if (loss.name == name) return loss.count;
  }
  ADD_FAILURE() << "no loss called " << name;
  return 0;
}

inline std::int64_t gauge_of(const Recording& recording, std::uint32_t cycle, GaugeKind kind,
                             Point point = Point::settled) {
  for (const Gauge& gauge : recording.gauges) {
    if (gauge.cycle == cycle && gauge.point == point && gauge.kind == kind) return gauge.value;
  }
  ADD_FAILURE() << "gauge not read in cycle " << cycle;
  return -1;
}

}  // namespace ebbtide
