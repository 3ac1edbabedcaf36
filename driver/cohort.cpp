#include "driver/cohort.h"

#include <boost/asio/co_spawn.hpp>
#include <exception>
#include <utility>

#include "driver/condition.h"
#include "driver/connection.h"
#include "driver/deadline.h"
#include "recording/clock.h"

namespace ebbtide {

namespace asio = boost::asio;

namespace {

// A coroutine that threw met a fault of the tool, not of the server.
std::string describe_fault(const std::exception_ptr& fault) {
  try {
    std::rethrow_exception(fault);
  } catch (const std::exception& error) {
    return std::string("fault in the tool: ") + error.what();
  } catch (...) {
    return "fault in the tool";
  }
}

struct Member {
  explicit Member(const asio::any_io_executor& executor) : handle(executor) {}
  ConnectionHandle handle;
  Connection outcome;  // so far
  bool established = false;
};

}  // namespace

struct Cohort::State {
  asio::any_io_executor executor;
  CohortContext context;
  std::uint32_t cycle = 0;

  Condition changed{executor};            // `status` or `aborted`
  asio::steady_timer next_due{executor};  // of the schedule
  CohortStatus status{};
  bool aborted = false;
  std::vector<std::unique_ptr<Member>> members{};  // by id; null once ended
  std::vector<Connection> outcomes{};              // by id

  void note_established(std::size_t index) {
    members[index]->established = true;
    --status.opening;
    ++status.established;
    changed.notify();
  }

  void note_ended(std::size_t index) {
    if (members[index]->established) {
      --status.established;
      ++status.finished;
    } else {
      --status.opening;
      const bool failed = outcomes[index].failed_at != Stage::none;
      ++(failed ? status.failed : status.finished);
    }
    members[index].reset();
    changed.notify();
  }
};

Cohort::Cohort(asio::any_io_executor executor, ConnectionPlan plan,
               std::vector<asio::ip::tcp::endpoint> endpoints, std::uint32_t cycle,
               std::uint64_t first_id, ConnectionObserver* observer)
    : state_(std::make_shared<State>(State{.executor = std::move(executor),
                                           .context = {.plan = std::move(plan),
                                                       .endpoints = std::move(endpoints),
                                                       .first_id = first_id,
                                                       .observer = observer},
                                           .cycle = cycle})) {}

Cohort::~Cohort() = default;

void Cohort::start_one(const std::shared_ptr<State>& state, std::uint64_t scheduled_ns) {
  const std::size_t index = state->members.size();
  Member& member = *state->members.emplace_back(std::make_unique<Member>(state->executor));
  Connection& outcome = member.outcome;
  outcome.id = state->context.first_id + index;
  outcome.cycle = state->cycle;
  outcome.scheduled_ns = scheduled_ns;
  outcome.close_mode = state->context.plan.close_mode;
  outcome.slow = index < state->context.plan.slow;
  state->outcomes.push_back(outcome);
  ++state->status.opening;

  const auto on_established = [state = state.get(), index] { state->note_established(index); };
  const auto on_ended = [state, index](const std::exception_ptr& fault) {
    Connection& ended = state->members[index]->outcome;
    if (fault) {
      ended.failed_at = Stage::connect;
      ended.error = describe_fault(fault);
    }
    state->outcomes[index] = std::move(ended);
    state->note_ended(index);
  };
  asio::co_spawn(state->executor,
                 run_connection(state->context, member.handle, outcome, on_established), on_ended);
}

asio::awaitable<void> Cohort::until_due(std::shared_ptr<State> state, std::uint64_t due_ns) {
  const std::uint64_t now = monotonic_ns();
  if (state->aborted || due_ns <= now) co_return;
  state->next_due.expires_after(std::chrono::nanoseconds(due_ns - now));
  co_await state->next_due.async_wait(as_value);
}

asio::awaitable<void> Cohort::open(OpenOptions options) {
  const std::shared_ptr<State> state = state_;
  const std::uint64_t begin_ns = monotonic_ns();
  for (std::uint32_t started = 0; started < options.count; ++started) {
    std::uint64_t scheduled_ns = 0;
    if (options.rate > 0) {
      scheduled_ns = begin_ns + static_cast<std::uint64_t>(started * 1e9 / options.rate);
      co_await until_due(state, scheduled_ns);
    }
    co_await state->changed.until([&] {
      return state->aborted || options.window == 0 || state->status.opening < options.window;
    });
    if (state->aborted) break;
    start_one(state, scheduled_ns);
  }
  co_await state->changed.until([&] { return state->status.opening == 0; });
}

asio::awaitable<void> Cohort::close() {
  const std::shared_ptr<State> state = state_;
  for (const auto& member : state->members) {
    if (member) member->handle.leave();
  }
  co_await state->changed.until(
      [&] { return state->status.opening + state->status.established == 0; });
}

void Cohort::abort() {
  state_->aborted = true;
  for (const auto& member : state_->members) {
    if (member) member->handle.abort();
  }
  state_->next_due.cancel();
  state_->changed.notify();
}

CohortStatus Cohort::status() const {
  CohortStatus status = state_->status;
  status.traffic = state_->context.traffic;
  return status;
}

const std::vector<Connection>& Cohort::outcomes() const { return state_->outcomes; }

}  // namespace ebbtide
