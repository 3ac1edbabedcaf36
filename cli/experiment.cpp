#include "cli/experiment.h"

#include <fmt/format.h>

#include <algorithm>
#include <boost/asio/as_tuple.hpp>
#include <boost/asio/async_result.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/deferred.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <exception>
#include <iterator>

#include "recording/clock.h"
#include "recording/names.h"

namespace ebbtide {

namespace asio = boost::asio;
using asio::awaitable;
using asio::use_awaitable;

namespace {

// The median; a second while there is none.
std::chrono::nanoseconds typical(std::vector<std::uint64_t> lengths_ns) {
  if (lengths_ns.empty()) return std::chrono::seconds(1);
  const auto middle = lengths_ns.begin() + static_cast<std::ptrdiff_t>(lengths_ns.size() / 2);
  std::nth_element(lengths_ns.begin(), middle, lengths_ns.end());
  return std::chrono::nanoseconds(*middle);
}

// A pass is short: what a person set for the main experiment bounds it, whatever that was.
constexpr std::chrono::milliseconds pass_hold{50};
constexpr std::chrono::milliseconds pass_settle_cap{1000};

// Sockets that outlast the cap in so many cycles running will do so in the next: no cycle waits for
// them in full any more. Whether they go at all the cool-down shows.
constexpr std::uint32_t stuck_cycles_to_believe = 3;
constexpr std::chrono::milliseconds settle_cap_when_stuck{500};

ExperimentPlan plan_of(const ExperimentPlan& main, const ClosePass& pass) {
  ExperimentPlan plan = main;
  plan.connection = ending_in(pass.mode, plan.connection);
  plan.opening = {.count = 0, .window = 0, .rate = 0};
  plan.hold = std::min(plan.hold, pass_hold);
  plan.settle_cap = std::min(plan.settle_cap, pass_settle_cap);
  return plan;
}

// Got as far as a connection of its close mode gets.
bool came_through(const Connection& outcome) {
  return ends_before_established(outcome.close_mode) ? outcome.connected_ns != 0
                                                     : outcome.established_ns != 0;
}

// What was thrown, in words.
std::string reason_of(const std::exception_ptr& thrown) {
  try {
    std::rethrow_exception(thrown);
  } catch (const std::exception& failure) {
    return failure.what();
  } catch (...) {
    return "no reason given";
  }
}

}  // namespace

Experiment::Experiment(asio::any_io_executor executor, ExperimentPlan plan, Tracer& tracer,
                       Progress& progress)
    : executor_(executor),
      plan_(std::move(plan)),
      tracer_(tracer),
      progress_(progress),
      v8_(executor, plan_.v8, tracer, progress, [this] { return stopping(); }),
      sleep_timer_(executor),
      watch_timer_(executor) {}

void Experiment::stop() {
  stop_requested_ = true;
  if (broadcast_) broadcast_->stop();
  if (cohort_) cohort_->abort();
  sleep_timer_.cancel();
}

awaitable<Result<RunEnd>> Experiment::run() {
  start_ns_ = monotonic_ns();
  progress_state_.cycles = static_cast<std::uint32_t>(plan_.doses.size());
  for (const ClosePass& pass : plan_.passes)
    progress_state_.cycles += static_cast<std::uint32_t>(pass.doses.size());
  asio::co_spawn(executor_, watch_target(), [this](std::exception_ptr failure) {
    if (failure) fail("watching the target failed: " + reason_of(failure));
  });
  auto tried = co_await try_one_connection();
  if (tried) {
    co_await v8_.open();
    co_await settle(0);
    co_await measure(0, Point::settled);
    std::uint32_t number = 0;
    while (!stopping() && (number < plan_.doses.size() || goes_on())) {
      number++;
      co_await run_cycle(number, plan_.doses[number - 1]);
    }
    co_await run_passes(number);
    co_await v8_.close();
  }
  over_ = true;
  watch_timer_.cancel();
  if (!tried) co_return tried.error();
  co_return end();
}

// A server that cannot be talked to is found out before a hundred connections wait for it.
awaitable<Result<void>> Experiment::try_one_connection() {
  progress_state_.phase = "try";
  cohort_ = std::make_unique<Cohort>(executor_, ending_in(CloseMode::clean, plan_.connection),
                                     plan_.endpoints, 0, next_connection_id_++);
  co_await cohort_->open({.count = 1, .window = 1});
  co_await cohort_->close();
  const Connection outcome = cohort_->outcomes().front();
  cohort_.reset();
  tracer_.record(outcome);
  const bool failed = outcome.established_ns == 0;
  if (!failed || stopping()) co_return Result<void>{};
  co_return Error{"establish", "a connection", outcome.error,
                  "check the URL, --header, --send and --expect against a client that works"};
}

// Whether what was measured so far asks for more, which is then planned.
bool Experiment::goes_on() {
  if (!plan_.next) return false;
  const NextCycles next = plan_.next();
  if (!next.no_passes.empty() && !plan_.passes.empty()) {
    plan_.passes.clear();
    note(progress_state_.cycle, next.no_passes);
  }
  if (next.cool_down.count() > 0) {
    if (cool_down_.count() == 0)
      progress_.say(
          "LEAK so far; whether it is given back late shows now, while nobody connects (Ctrl-C "
          "ends that, --cool-down 0 leaves it out)");
    cool_down_ = next.cool_down;
    plan_.doses.push_back(0);
    progress_state_.cycles++;
    return true;
  }
  cool_down_ = {};
  if (next.doses.empty()) return false;
  progress_.say(fmt::format("not decided yet: {} more cycles", next.doses.size()));
  plan_.doses.insert(plan_.doses.end(), next.doses.begin(), next.doses.end());
  progress_state_.cycles += static_cast<std::uint32_t>(next.doses.size());
  return true;
}

// Cycles are numbered on behind `number`. A mode that nobody gets through has told what it can.
awaitable<void> Experiment::run_passes(std::uint32_t number) {
  const ExperimentPlan main = plan_;
  in_pass_ = true;
  const auto& passes = main.passes;
  for (auto pass = passes.begin(); pass != passes.end(); ++pass) {
    plan_ = plan_of(main, *pass);
    nobody_came_ = false;
    const bool before_single =
        std::next(pass) != passes.end() && std::next(pass)->doses.size() == 1;
    for (std::size_t i = 0; i < pass->doses.size(); ++i) {
      if (stopping() || nobody_came_) break;
      const bool last = i + 1 == pass->doses.size();
      must_look_ = pass->doses.size() == 1 || (last && before_single);
      co_await run_cycle(++number, pass->doses[i]);
    }
  }
}

awaitable<void> Experiment::run_cycle(std::uint32_t number, std::uint32_t dose) {
  progress_state_.cycle = number;
  if (plan_.load) progress_state_.level = dose;
  Cycle cycle{.number = number,
              .dose = dose,
              .established = 0,
              .start_ns = monotonic_ns(),
              .end_ns = 0,
              .close_mode = plan_.connection.close_mode};
  if (dose > 0) {
    cycle.established = co_await drive_connections(number, dose);
    drive_lengths_ns_.push_back(monotonic_ns() - cycle.start_ns);
  } else {
    co_await stay_idle(number);  // then it settles, as every cycle does
  }
  if (stopping()) co_return;
  const Settled settled = co_await settle(number);
  if (stopping()) co_return;
  if (dose > 0) stuck_cycles_ = settled.sockets_left > 0 ? stuck_cycles_ + 1 : 0;
  cycle.end_ns = monotonic_ns();
  tracer_.record(cycle);  // before the measurement, which commits it
  co_await measure(number, Point::settled);
  co_await take_snapshot(number);
  if (dose > 0) cycle_lengths_ns_.push_back(cycle.end_ns - cycle.start_ns);
  progress_.cycle_done(progress_state_);
  nobody_came_ = dose > 0 && cycle.established == 0;
  if (nobody_came_ && !in_pass_) {
    fail(fmt::format("none of the {} connections of cycle {} was established", dose, number));
  }
}

awaitable<void> Experiment::stay_idle(std::uint32_t cycle) {
  const bool cools_down = cool_down_.count() > 0;
  const Phase phase = cools_down ? Phase::cool_down : Phase::hold;
  const std::uint64_t start_ns = begin_phase(cycle, phase);
  co_await sleep(cools_down ? std::chrono::nanoseconds(cool_down_) : typical(drive_lengths_ns_));
  end_phase(cycle, phase, start_ns);
}

awaitable<std::uint32_t> Experiment::drive_connections(std::uint32_t cycle, std::uint32_t dose) {
  if (plan_.trigger) {
    broadcast_ = std::make_unique<Broadcast>(executor_, *plan_.trigger, plan_.trigger_endpoints,
                                             cycle, next_trigger_, fmt::format("{:x}", start_ns_));
  }
  cohort_ = std::make_unique<Cohort>(executor_, plan_.connection, plan_.endpoints, cycle,
                                     next_connection_id_, broadcast_.get());
  next_connection_id_ += dose;
  OpenOptions opening = plan_.opening;
  opening.count = dose;
  std::uint64_t start_ns = begin_phase(cycle, Phase::open);
  co_await cohort_->open(opening);
  end_phase(cycle, Phase::open, start_ns);
  co_await measure(cycle, Point::opened);

  start_ns = begin_phase(cycle, Phase::hold);
  co_await hold(cycle);
  end_phase(cycle, Phase::hold, start_ns);
  if (plan_.load && !stopping()) {
    co_await v8_.weigh(cycle, Point::held);
    co_await measure(cycle, Point::held);
  }

  start_ns = begin_phase(cycle, Phase::close);
  co_await cohort_->close();
  end_phase(cycle, Phase::close, start_ns);
  co_await measure(cycle, Point::closed);

  std::uint32_t established = 0;
  for (const Connection& outcome : cohort_->outcomes()) {
    if (came_through(outcome)) established++;
    tracer_.record(outcome);
  }
  cohort_.reset();
  broadcast_.reset();
  co_return established;
}

// Keeps the connections up: idle for a while, or for as long as messages are broadcast to them.
awaitable<void> Experiment::hold(std::uint32_t cycle) {
  if (!broadcast_) {
    co_await sleep(plan_.hold);
    co_return;
  }
  co_await broadcast_->run();
  const BroadcastResult result = broadcast_->result();
  next_trigger_ += result.triggers.size();
  for (const Trigger& trigger : result.triggers) tracer_.record(trigger);
  for (const LatencyBucket& bucket : result.latencies) tracer_.record(bucket);
  if (result.unmatched.count > 0) tracer_.record(result.unmatched);
  const auto lose = [&](const char* name, std::uint64_t count) {
    if (count > 0) tracer_.record(Loss{name, count});
  };
  lose("messages with a token that was never sent", result.strange_tokens);
  lose("messages timed by the driver, not by the kernel", result.unstamped);
  lose("messages that came too late to be told from copies", result.too_old);
  if (!result.gave_up.empty()) note(cycle, "the triggers were given up: " + result.gave_up);
  if (result.still_coming)
    note(cycle, fmt::format("messages were still coming {} s after the last trigger",
                            plan_.trigger->drain_limit.count() / 1000));
}

// Waits for rest, forces a GC where that is possible, and waits for its echo.
awaitable<Settled> Experiment::settle(std::uint32_t cycle) {
  const auto stop = [this] { return stopping(); };
  const auto tick = [this](const Activity& activity) { show(activity); };
  const std::uint64_t start_ns = begin_phase(cycle, cycle == 0 ? Phase::before : Phase::settle);
  const bool stuck = stuck_cycles_ >= stuck_cycles_to_believe;
  const auto cap = stuck ? std::min(plan_.settle_cap, settle_cap_when_stuck) : plan_.settle_cap;
  const Settled settled =
      co_await wait_until_settled(tracer_, {.cap = cap, .sockets_gone = cycle != 0}, stop, tick);
  if (!stopping()) co_await v8_.collect_garbage(cycle);
  if (!stopping() && plan_.load) co_await v8_.weigh(cycle, Point::settled);
  if (!stopping() && !plan_.load) {
    // The first two, the last, around a pass of one cycle, and all of a pass, which has hardly
    // enough of them.
    const bool must = must_look_ || cycle <= 1 || cycle + 1 == plan_.doses.size() ||
                      cycle == plan_.doses.size() || (in_pass_ && v8_.looks_quickly());
    co_await v8_.look(cycle, must);
  }
  if (v8_.leaves_an_echo()) {
    const SettleRule echo{
        .cap = std::chrono::milliseconds(500), .quiet_windows = 1, .sockets_gone = false};
    co_await wait_until_settled(tracer_, echo, stop, tick);
  }
  if (stopping()) co_return settled;
  end_phase(cycle, cycle == 0 ? Phase::before : Phase::settle, start_ns, settled);
  co_return settled;
}

// Three to compare: after the first cycle, in the middle, and after the last.
bool Experiment::wants_snapshot(std::uint32_t cycle) const {
  if (plan_.v8.snapshot_directory.empty()) return false;
  const std::size_t last = plan_.doses.size();
  return cycle == 1 || cycle == (last + 1) / 2 || cycle == last;
}

awaitable<void> Experiment::take_snapshot(std::uint32_t cycle) {
  if (!wants_snapshot(cycle)) co_return;
  progress_state_.phase = "snapshot";
  const auto written = [this](std::uint64_t) { show(tracer_.activity()); };
  const auto taken = co_await v8_.take_snapshot(cycle, written);
  if (!taken && !stopping()) fail("no heap snapshot: " + taken.error().message());
}

awaitable<void> Experiment::measure(std::uint32_t cycle, Point point) {
  show(tracer_.activity());
  co_await asio::async_initiate<const asio::use_awaitable_t<>&, void()>(
      [&](auto handler) {
        auto shared = std::make_shared<decltype(handler)>(std::move(handler));
        tracer_.measure(cycle, point, {}, [executor = executor_, shared](const auto&) {
          asio::post(executor, [shared] { std::move (*shared)(); });
        });
      },
      use_awaitable);
}

awaitable<void> Experiment::sleep(std::chrono::nanoseconds duration) {
  const auto until = std::chrono::steady_clock::now() + duration;
  while (!stopping() && std::chrono::steady_clock::now() < until) {
    sleep_timer_.expires_at(
        std::min(until, std::chrono::steady_clock::now() + std::chrono::nanoseconds(100'000'000)));
    co_await sleep_timer_.async_wait(asio::as_tuple(use_awaitable));
    show(tracer_.activity());
  }
}

// Notices the target's death during any wait.
awaitable<void> Experiment::watch_target() {
  while (!over_ && !target_gone_) {
    watch_timer_.expires_after(std::chrono::milliseconds(50));
    co_await watch_timer_.async_wait(asio::as_tuple(use_awaitable));
    target_gone_ = tracer_.activity().target_gone;
    if (cohort_ && !target_gone_) show(tracer_.activity());
  }
  if (target_gone_ && cohort_) cohort_->abort();
  if (target_gone_ && broadcast_) broadcast_->stop();
  if (target_gone_) sleep_timer_.cancel();
}

// --- what is written and shown ------------------------------------------------------------------

std::uint64_t Experiment::begin_phase(std::uint32_t cycle, Phase phase) {
  tracer_.set_epoch(cycle, phase);
  progress_state_.phase = name_of(phase);
  phase_began_ = driver_moment(traffic());
  return monotonic_ns();
}

void Experiment::end_phase(std::uint32_t cycle, Phase phase, std::uint64_t start_ns,
                           Settled settled) {
  tracer_.record(PhaseSpan{.cycle = cycle,
                           .phase = phase,
                           .start_ns = start_ns,
                           .end_ns = monotonic_ns(),
                           .hit_cap = settled.hit_cap,
                           .sockets_left = settled.sockets_left});
  if (cohort_) tracer_.record(driver_load(cycle, phase, phase_began_, driver_moment(traffic())));
}

// What has passed through the open cycle's connections.
Traffic Experiment::traffic() const {
  Traffic sum;
  if (cohort_) sum += cohort_->status().traffic;
  if (broadcast_) sum += broadcast_->status().traffic;
  return sum;
}

void Experiment::note(std::uint32_t cycle, std::string text) {
  tracer_.record(Note{monotonic_ns(), cycle, std::move(text)});
}

// Ends the run; the first reason counts.
void Experiment::fail(std::string why) {
  if (failure_.empty()) failure_ = std::move(why);
  stop();
}

void Experiment::show(const Activity& activity) {
  progress_state_.sockets_up = activity.live_sockets;
  progress_state_.rss_bytes = activity.rss_bytes;
  progress_state_.detail.clear();
  if (broadcast_ && progress_state_.phase == name_of(Phase::hold)) {
    const BroadcastStatus status = broadcast_->status();
    progress_state_.detail = fmt::format("{} triggers, {} failed, {} delivered", status.sent,
                                         status.failed, status.delivered);
  }
  progress_state_.elapsed_s = static_cast<double>(monotonic_ns() - start_ns_) / 1e9;
  // Of levels the longest are to come: how long is not known.
  if (!cycle_lengths_ns_.empty() && !plan_.load) {
    const auto left = progress_state_.cycles - progress_state_.cycle + 1;
    progress_state_.remaining_s = static_cast<double>(left) *
                                  std::chrono::duration<double>(typical(cycle_lengths_ns_)).count();
  }
  progress_.update(progress_state_);
}

RunEnd Experiment::end() const {
  RunEnd end{.reason = EndReason::completed, .detail = {}, .end_ns = monotonic_ns()};
  if (!failure_.empty()) {
    end.reason = EndReason::failed;
    end.detail = failure_;
  } else if (stop_requested_) {
    end.reason = EndReason::interrupted;
    end.detail = "stopped by the person who started it";
  }
  return end;
}

}  // namespace ebbtide
