// Answers: how do tracer and driver make one run? Plans the cycles, drives each through its phases,
// and leaves everything in the tracer's recording. One coroutine, on the Asio thread.
#pragma once

#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/awaitable.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/steady_timer.hpp>
#include <chrono>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "cli/close_passes.h"
#include "cli/progress.h"
#include "cli/settle.h"
#include "cli/v8_evidence.h"
#include "driver/broadcast.h"
#include "driver/cohort.h"
#include "driver/driver_load.h"
#include "driver/plan.h"
#include "recording/run.h"
#include "tracer/tracer.h"

namespace ebbtide {

// How a run goes on when its doses are done.
struct NextCycles {
  std::vector<std::uint32_t> doses;        // none: what was measured is enough
  std::chrono::milliseconds cool_down{0};  // else: leave the target alone for so long, ask again
  std::string no_passes;  // why the other ways of ending need not be tried; "": they do
};

struct ExperimentPlan {
  ConnectionPlan connection;
  std::vector<boost::asio::ip::tcp::endpoint> endpoints;
  std::vector<std::uint32_t> doses;  // connections of each cycle in order; 0: an idle control
  std::function<NextCycles()> next = nullptr;  // asked when those are done
  std::vector<ClosePass> passes;               // behind them: other ways of ending a connection
  OpenOptions opening;                         // `count` is the cycle's dose
  std::chrono::milliseconds hold{100};
  std::chrono::milliseconds settle_cap{3000};
  bool load = false;  // what connections take matters, not what they leave: gauges also at the end
                      // of the hold, heaps are weighed and not looked into
  std::optional<TriggerPlan> trigger;  // held for as long as this has the server broadcast
  std::vector<boost::asio::ip::tcp::endpoint> trigger_endpoints;
  V8Plan v8;
};

class Experiment {
 public:
  Experiment(boost::asio::any_io_executor executor, ExperimentPlan plan, Tracer& tracer,
             Progress& progress);

  // Runs to the end of the plan, a stop(), or the target's death; returns how it ended. Error: not
  // even a first connection could be established.
  boost::asio::awaitable<Result<RunEnd>> run();

  // Ends the run soon: the open cycle is dropped, finished ones stay.
  void stop();

 private:
  boost::asio::awaitable<Result<void>> try_one_connection();
  bool goes_on();
  boost::asio::awaitable<void> run_passes(std::uint32_t number);
  boost::asio::awaitable<void> run_cycle(std::uint32_t number, std::uint32_t dose);
  boost::asio::awaitable<void> stay_idle(std::uint32_t cycle);
  boost::asio::awaitable<std::uint32_t> drive_connections(std::uint32_t cycle, std::uint32_t dose);
  boost::asio::awaitable<void> hold(std::uint32_t cycle);
  boost::asio::awaitable<Settled> settle(std::uint32_t cycle);
  boost::asio::awaitable<void> take_snapshot(std::uint32_t cycle);
  boost::asio::awaitable<void> measure(std::uint32_t cycle, Point point);
  boost::asio::awaitable<void> sleep(std::chrono::nanoseconds duration);
  boost::asio::awaitable<void> watch_target();

  std::uint64_t begin_phase(std::uint32_t cycle, Phase phase);
  void end_phase(std::uint32_t cycle, Phase phase, std::uint64_t start_ns, Settled settled = {});
  [[nodiscard]] Traffic traffic() const;
  void note(std::uint32_t cycle, std::string text);
  void fail(std::string why);
  [[nodiscard]] bool wants_snapshot(std::uint32_t cycle) const;
  void show(const Activity& activity);
  [[nodiscard]] bool stopping() const { return stop_requested_ || target_gone_; }
  [[nodiscard]] RunEnd end() const;

  boost::asio::any_io_executor executor_;
  ExperimentPlan plan_;
  Tracer& tracer_;
  Progress& progress_;
  V8Evidence v8_;
  std::unique_ptr<Broadcast> broadcast_;  // of the open cycle, as the next
  std::unique_ptr<Cohort> cohort_;
  DriverMoment phase_began_;
  boost::asio::steady_timer sleep_timer_;
  boost::asio::steady_timer watch_timer_;
  std::vector<std::uint64_t> cycle_lengths_ns_;  // of those with connections
  std::vector<std::uint64_t> drive_lengths_ns_;  // the same without their settling
  std::uint64_t next_connection_id_ = 1;
  std::uint64_t next_trigger_ = 1;
  std::uint64_t start_ns_ = 0;
  ProgressState progress_state_;
  std::string failure_;
  std::chrono::milliseconds cool_down_{0};  // of the cycles that follow; 0: they are no cool-down
  std::uint32_t stuck_cycles_ = 0;          // in a row whose sockets outlasted the settling
  bool in_pass_ = false;
  bool must_look_ = false;    // into the heap, however long that takes
  bool nobody_came_ = false;  // none of the last cycle's connections got as far as it should
  bool stop_requested_ = false;
  bool target_gone_ = false;
  bool over_ = false;
};

}  // namespace ebbtide
