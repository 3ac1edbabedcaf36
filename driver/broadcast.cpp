#include "driver/broadcast.h"

#include <fmt/format.h>

#include <algorithm>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/steady_timer.hpp>
#include <exception>
#include <optional>
#include <utility>

#include "driver/broadcast_deliveries.h"
#include "driver/condition.h"
#include "driver/deadline.h"
#include "driver/trigger_channel.h"
#include "recording/clock.h"

namespace ebbtide {

namespace asio = boost::asio;
using namespace std::chrono_literals;

namespace {

// So many triggers at a run's beginning that could not connect end it.
constexpr std::size_t hopeless_triggers = 50;

// Before the next trigger on a connection that failed, where no schedule says when.
constexpr std::chrono::milliseconds pause_after_failure = 100ms;

std::uint64_t ns_of(std::chrono::milliseconds time) {
  return static_cast<std::uint64_t>(std::chrono::nanoseconds(time).count());
}

// One connection's triggers, one after the other.
struct Lane {
  explicit Lane(const asio::any_io_executor& executor) : pause(executor) {}
  asio::steady_timer pause;
  std::unique_ptr<TriggerChannel> channel;
  std::optional<std::size_t> last;  // index of the trigger sent last
};

}  // namespace

struct Broadcast::State {
  State(asio::any_io_executor on, TriggerPlan with, std::vector<asio::ip::tcp::endpoint> to,
        Deliveries matching)
      : executor(std::move(on)),
        route(std::move(with), std::move(to)),
        deliveries(std::move(matching)),
        changed(executor),
        drain_pause(executor) {}

  // When the trigger of an index is to be sent; what it returns is over when there is none more.
  [[nodiscard]] std::optional<std::uint64_t> schedule(std::size_t index, std::uint64_t now) const;
  asio::awaitable<void> open_lanes();
  asio::awaitable<void> run_lane(Lane& lane);
  asio::awaitable<void> send(Lane& lane, std::size_t index);
  asio::awaitable<void> pause_until(asio::steady_timer& timer, std::uint64_t ns) const;
  asio::awaitable<void> until_somebody_got(Lane& lane, std::size_t index);
  void note_end(Lane& lane);
  void note_failure(std::size_t index, const Failure& failure);
  void note_unsent();
  asio::awaitable<void> drain();
  void end_lanes();

  asio::any_io_executor executor;
  TriggerRoute route;
  const TriggerPlan& plan = route.plan;
  Deliveries deliveries;
  Condition changed;  // `running`
  asio::steady_timer drain_pause;

  std::vector<std::unique_ptr<Lane>> lanes;
  std::size_t running = 0;
  std::exception_ptr fault;
  std::uint64_t start_ns = 0;
  std::uint64_t last_came_ns = 0;  // a message with a token
  BroadcastStatus status;
  std::string gave_up;
  bool still_coming = false;
  bool stopped = false;
  bool over = false;  // what comes now is no longer counted
};

Broadcast::Broadcast(asio::any_io_executor executor, TriggerPlan plan,
                     std::vector<asio::ip::tcp::endpoint> endpoints, std::uint32_t cycle,
                     std::uint64_t first_number, std::string_view run) {
  Deliveries deliveries(cycle, first_number, run, is_websocket(plan.url.scheme));
  state_ = std::make_shared<State>(std::move(executor), std::move(plan), std::move(endpoints),
                                   std::move(deliveries));
}

Broadcast::~Broadcast() = default;

void Broadcast::on_established(std::uint64_t id, bool slow) {
  if (!slow && !state_->over) state_->deliveries.add_subscriber(id);
}

void Broadcast::on_left(std::uint64_t id) {
  if (!state_->over) state_->deliveries.remove_subscriber(id);
}

void Broadcast::on_message(std::uint64_t id, std::string_view payload, Receipt receipt) {
  State& state = *state_;
  if (state.over || state.status.sent == 0) return;
  const std::uint64_t before = state.deliveries.delivered();
  if (state.deliveries.take(id, payload, receipt)) state.last_came_ns = receipt.read_ns;
  const bool waits_for_delivery = is_websocket(state.plan.url.scheme) && state.plan.rate == 0;
  if (waits_for_delivery && state.deliveries.delivered() > before) {
    for (const auto& lane : state.lanes) lane->pause.cancel();
  }
}

asio::awaitable<void> Broadcast::run() {
  const std::shared_ptr<State> state = state_;
  co_await state->open_lanes();
  state->start_ns = monotonic_ns();
  state->running = state->lanes.size();
  for (const auto& lane : state->lanes) {
    asio::co_spawn(state->executor, state->run_lane(*lane),
                   [state](const std::exception_ptr& fault) {
                     if (fault) state->fault = fault;
                     --state->running;
                     state->changed.notify();
                   });
  }
  co_await state->changed.until([&] { return state->running == 0; });
  state->note_unsent();
  co_await state->drain();
  state->over = true;
  for (const auto& lane : state->lanes) {
    state->note_end(*lane);
    co_await lane->channel->close();
  }
  if (state->fault) std::rethrow_exception(state->fault);
}

void Broadcast::stop() {
  state_->stopped = true;
  state_->end_lanes();
  for (const auto& lane : state_->lanes) lane->channel->abort();
  state_->drain_pause.cancel();
}

BroadcastStatus Broadcast::status() const {
  BroadcastStatus status = state_->status;
  status.delivered = state_->deliveries.delivered();
  status.subscribers = state_->deliveries.subscribers();
  status.traffic = state_->route.connections.traffic;
  return status;
}

BroadcastResult Broadcast::result() const {
  BroadcastResult result = state_->deliveries.result();
  result.still_coming = state_->still_coming;
  result.gave_up = state_->gave_up;
  return result;
}

void Broadcast::State::end_lanes() {
  for (const auto& lane : lanes) lane->pause.cancel();
}

// The schedule begins with the connections up: their opening is no lag of the triggers.
asio::awaitable<void> Broadcast::State::open_lanes() {
  const bool messages = is_websocket(plan.url.scheme);
  const std::size_t count = messages ? 1 : std::max(plan.concurrency, 1U);
  for (std::size_t i = 0; i < count; ++i) {
    Lane& lane = *lanes.emplace_back(std::make_unique<Lane>(executor));
    const auto on_end = [&lane] { lane.pause.cancel(); };
    lane.channel =
        messages ? make_ws_channel(executor, route, on_end) : make_http_channel(executor, route);
  }
  for (const auto& lane : lanes) {
    if (stopped) co_return;
    const Attempt failure = co_await lane->channel->open();
    if (failure) co_return;  // the first triggers will say why
  }
}

std::optional<std::uint64_t> Broadcast::State::schedule(std::size_t index,
                                                        std::uint64_t now) const {
  if (index >= (plan.count == 0 ? max_triggers : std::min(plan.count, max_triggers))) {
    return std::nullopt;
  }
  std::uint64_t due = now;
  if (plan.rate > 0) {
    due = start_ns + static_cast<std::uint64_t>(static_cast<double>(index) * 1e9 / plan.rate);
  }
  const bool ends = plan.duration > 0ms;
  return ends && due >= start_ns + ns_of(plan.duration) ? std::nullopt : std::optional(due);
}

asio::awaitable<void> Broadcast::State::run_lane(Lane& lane) {
  const bool scheduled = plan.rate > 0;
  const std::uint64_t end_ns = start_ns + ns_of(plan.duration) + ns_of(plan.timeout);
  for (;;) {
    const std::uint64_t now = monotonic_ns();
    const auto due = schedule(deliveries.triggers().size(), now);
    const bool too_late = scheduled && plan.duration > 0ms && now >= end_ns;
    if (!due || stopped || !gave_up.empty() || too_late) co_return;
    const std::size_t index = deliveries.begin(scheduled ? *due : 0);
    if (scheduled) co_await pause_until(lane.pause, *due);
    if (stopped || !gave_up.empty()) co_return;
    co_await send(lane, index);
    if (scheduled || stopped) continue;
    const bool is_message = is_websocket(plan.url.scheme);
    if (is_message) co_await until_somebody_got(lane, index);
    const bool failed = is_message || !deliveries.triggers()[index].error.empty();
    if (failed && !stopped && !lane.channel->is_open()) {
      co_await pause_until(lane.pause, monotonic_ns() + ns_of(pause_after_failure));
    }
  }
}

asio::awaitable<void> Broadcast::State::send(Lane& lane, std::size_t index) {
  TriggerChannel& channel = *lane.channel;
  note_end(lane);
  if (!channel.is_open()) {
    if (const Attempt failure = co_await channel.open()) {
      note_failure(index, *failure);
      co_return;
    }
  }
  TriggerText text = fill_in(plan, deliveries.token(index), deliveries.triggers()[index].number);
  TriggerAnswer answer;
  lane.last = index;
  ++status.sent;
  deliveries.note_sent(index, monotonic_ns());
  const Attempt failure = co_await channel.send(std::move(text), answer);
  Trigger& trigger = deliveries.triggers()[index];
  trigger.answered_ns = answer.answered_ns;
  trigger.http_status = answer.http_status;
  if (answer.answered_ns != 0) ++status.answered;
  if (failure) note_failure(index, *failure);
}

void Broadcast::State::note_failure(std::size_t index, const Failure& failure) {
  deliveries.triggers()[index].error = failure.text;
  ++status.failed;
  if (status.sent > 0 || status.failed < hopeless_triggers || !gave_up.empty()) return;
  gave_up = failure.text;
  end_lanes();
}

// A WebSocket message is written before the server can object to it.
void Broadcast::State::note_end(Lane& lane) {
  const Attempt end = lane.channel->take_end();
  if (!end || !lane.last) return;
  const Trigger& trigger = deliveries.triggers()[*lane.last];
  if (trigger.delivered == 0 && trigger.error.empty()) note_failure(*lane.last, *end);
}

// The timer may be cancelled by what the wait is for, or by stop().
asio::awaitable<void> Broadcast::State::pause_until(asio::steady_timer& timer,
                                                    std::uint64_t ns) const {
  timer.expires_at(asio::steady_timer::time_point(std::chrono::nanoseconds(ns)));
  co_await timer.async_wait(as_value);
}

asio::awaitable<void> Broadcast::State::until_somebody_got(Lane& lane, std::size_t index) {
  const std::uint64_t deadline = monotonic_ns() + ns_of(plan.timeout);
  while (!stopped && lane.channel->is_open() && deliveries.triggers()[index].delivered == 0 &&
         monotonic_ns() < deadline) {
    co_await pause_until(lane.pause, deadline);
  }
}

// A trigger that was due while every connection waited for an answer did not reach the server
// either.
void Broadcast::State::note_unsent() {
  std::vector<Trigger>& triggers = deliveries.triggers();
  while (!triggers.empty() && triggers.back().sent_ns == 0 && triggers.back().error.empty()) {
    triggers.pop_back();
  }
  if (plan.rate == 0 || stopped || !gave_up.empty()) return;
  while (const auto due = schedule(triggers.size(), 0)) {
    deliveries.triggers()[deliveries.begin(*due)].error =
        fmt::format("not sent: all {} connections were waiting for answers", lanes.size());
    ++status.failed;
  }
}

asio::awaitable<void> Broadcast::State::drain() {
  const std::uint64_t begin_ns = monotonic_ns();
  const std::uint64_t end_ns = begin_ns + ns_of(plan.drain_limit);
  last_came_ns = std::max(last_came_ns, begin_ns);
  while (!stopped) {
    // Where something is missing, a server that takes its time gets as much again.
    const std::uint64_t patience = deliveries.missing() == 0 ? 0 : 2 * deliveries.longest_ns();
    const std::uint64_t quiet_at = last_came_ns + std::max(ns_of(plan.quiet), patience);
    const std::uint64_t now = monotonic_ns();
    if (now >= quiet_at) co_return;
    if (now >= end_ns) {
      still_coming = now < last_came_ns + ns_of(plan.quiet);
      co_return;
    }
    co_await pause_until(drain_pause, std::min(quiet_at, end_ns));
  }
}

}  // namespace ebbtide
