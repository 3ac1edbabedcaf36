#include "analysis/load/limit.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <optional>

#include "analysis/format.h"

namespace ebbtide {
namespace {

constexpr double saturated_share = 0.9;
constexpr double slower_factor = 10;
constexpr double long_turn_seconds = 0.5;
constexpr std::int64_t swap_noise_bytes = 16 << 20;

struct LevelContext {
  const Recording& recording;
  const LevelReport& first;
  const LevelReport& level;
};

std::uint64_t failed_where(const LevelReport& level, auto&& matches) {
  std::uint64_t count = 0;
  for (const FailureReason& reason : level.failures) {
    if (reason.stage != Stage::close && matches(reason)) count += reason.count;
  }
  return count;
}

const FailureReason* main_reason(const LevelReport& level, auto&& matches) {
  for (const FailureReason& reason : level.failures) {
    if (reason.stage != Stage::close && matches(reason)) return &reason;
  }
  return nullptr;
}

bool by_server(const FailureReason& reason) { return reason.origin == FailureOrigin::server; }

std::string failed_text(const LevelReport& level, std::uint64_t count,
                        const FailureReason& reason) {
  return fmt::format("{} of {} failed at {}: {}", number_text(count),
                     counted(level.attempted, "connection"), name_of(reason.stage), reason.text);
}

using Finding = std::optional<Limit>;

Finding died(const LevelContext& context) {
  if (context.level.finished || !target_died(context.recording.end)) return std::nullopt;
  const bool memory = context.recording.end.reason == EndReason::target_oom_killed;
  return Limit{memory ? LimitCause::memory : LimitCause::target_died, 0,
               "the target " + end_of_run(context.recording.end)};
}

Finding refused(const LevelContext& context) {
  const auto refusal = [](const FailureReason& reason) {
    return reason.origin == FailureOrigin::refusal;
  };
  const FailureReason* reason = main_reason(context.level, refusal);
  if (reason == nullptr) return std::nullopt;
  return Limit{LimitCause::refusal, 0,
               fmt::format("the application refuses: {} of {} at {}: {}",
                           number_text(failed_where(context.level, refusal)),
                           counted(context.level.attempted, "connection"), name_of(reason->stage),
                           reason->text)};
}

Finding backlog(const LevelContext& context) {
  const LevelReport& level = context.level;
  const std::uint64_t unanswered = failed_where(level, [](const FailureReason& reason) {
    return by_server(reason) && reason.stage == Stage::connect && reason.timed_out;
  });
  const std::uint64_t waited = level.near_1s + level.near_3s;
  if (waited + unanswered == 0) return std::nullopt;
  std::string text;
  if (level.overflows.value_or(0) > 0) {
    text = "the accept queue overflowed " + counted(*level.overflows, "time") + "; ";
  }
  text += counted(waited, "connect") + " waited 1 s or more for a lost SYN";
  if (unanswered > 0) text += fmt::format(", {} never came through", number_text(unanswered));
  if (!level.overflows) text += " (overflows were not read)";
  return Limit{LimitCause::backlog, 0, text};
}

// A server without a free fd accepts and closes at once, or leaves the connection waiting: TCP is
// up, the upgrade never comes.
Finding fds_used_up(const LevelContext& context) {
  constexpr double kept_aside = 8;  // by servers that want to go on accepting
  const auto limit = static_cast<double>(context.recording.run.fd_limit);
  if (limit == 0) return std::nullopt;
  const auto unserved = [](const FailureReason& reason) {
    return by_server(reason) && (reason.stage == Stage::upgrade || reason.stage == Stage::exchange);
  };
  const FailureReason* reason = main_reason(context.level, unserved);
  if (reason == nullptr) return std::nullopt;
  for (const LevelOfUse& use : context.level.uses) {
    if (use.unit != Unit::count) continue;
    const double fds = std::max(use.held.value_or(0), use.opened.value_or(0));
    if (fds < limit - kept_aside) continue;
    return Limit{
        LimitCause::fd_limit, 0,
        fmt::format("the server has {} descriptors open of the {} that it may have, and {}",
                    integer_text(static_cast<std::int64_t>(fds)),
                    number_text(context.recording.run.fd_limit),
                    failed_text(context.level, failed_where(context.level, unserved), *reason))};
  }
  return std::nullopt;
}

const LoopUse* saturated(const LevelContext& context) {
  const Latencies& now = context.level.whole;
  const Latencies& before = context.first.whole;
  if (now.count == 0 || before.count == 0 || now.p99 < slower_factor * before.p99) return nullptr;
  for (const LoopUse& use : context.level.loops) {
    const bool loaded = use.phase == Phase::open || use.phase == Phase::hold;
    if (loaded && use.busy_share > saturated_share) return &use;
  }
  return nullptr;
}

// The longest turn while connections were opened or held; closing is judged by nobody's latency.
const LoopUse* long_turn(const LevelContext& context) {
  const LoopUse* longest = nullptr;
  for (const LoopUse& use : context.level.loops) {
    if (use.phase != Phase::open && use.phase != Phase::hold) continue;
    if (use.longest_seconds < long_turn_seconds) continue;
    if (longest == nullptr || use.longest_seconds > longest->longest_seconds) longest = &use;
  }
  return longest;
}

Finding loop_busy(const LevelContext& context) {
  std::string text;
  if (const LoopUse* use = saturated(context)) {
    text = fmt::format(
        "the event loop is busy {:.0f} % of the {} phase and the p99 to established is {}, {} in "
        "the first level",
        use->busy_share * 100, name_of(use->phase), duration_text(context.level.whole.p99),
        duration_text(context.first.whole.p99));
    text += delay_text(*use);
  } else if (const LoopUse* turn = long_turn(context)) {
    text =
        fmt::format("the event loop stood still for {} at {} into the level",
                    duration_text(turn->longest_seconds), duration_text(turn->longest_at_seconds));
    text += delay_text(*turn);
  } else {
    return std::nullopt;
  }
  if (const FailureReason* reason = main_reason(context.level, by_server)) {
    text += "; " + failed_text(context.level, failed_where(context.level, by_server), *reason);
  }
  return Limit{LimitCause::loop, 0, text};
}

Finding swapped(const LevelContext& context) {
  if (context.level.swapped.value_or(0) <= swap_noise_bytes) return std::nullopt;
  return Limit{LimitCause::memory, 0,
               fmt::format("{} of the server were swapped out",
                           bytes_text(static_cast<double>(*context.level.swapped)))};
}

Finding failing(const LevelContext& context) {
  if (!context.level.finished && target_died(context.recording.end)) return std::nullopt;
  const FailureReason* reason = main_reason(context.level, by_server);
  if (reason == nullptr) return std::nullopt;
  const std::uint64_t failed = failed_where(context.level, by_server);
  if (reason->stage == Stage::hold) {
    return Limit{LimitCause::dropped, 0,
                 fmt::format("{} of {} were ended while held: {}", number_text(failed),
                             counted(context.level.established, "connection"), reason->text)};
  }
  return Limit{LimitCause::failures, 0, failed_text(context.level, failed, *reason)};
}

Finding degraded(const LevelContext& context) {
  for (const auto& cause : {died, refused, backlog, fds_used_up, loop_busy, swapped, failing}) {
    if (Finding finding = cause(context)) return finding;
  }
  return std::nullopt;
}

}  // namespace

bool target_died(const RunEnd& end) {
  return end.reason == EndReason::target_exited || end.reason == EndReason::target_killed ||
         end.reason == EndReason::target_oom_killed || end.reason == EndReason::target_exec;
}

std::string end_of_run(const RunEnd& end) {
  const std::string detail = end.detail.empty() ? "" : " (" + end.detail + ")";
  switch (end.reason) {
    case EndReason::completed:
      return "";
    case EndReason::interrupted:
      return "was interrupted" + detail;
    case EndReason::target_exited:
      return "exited" + detail;
    case EndReason::target_killed:
      return "was killed" + detail;
    case EndReason::target_oom_killed:
      return "was killed for lack of memory" + detail;
    case EndReason::target_exec:
      return "replaced itself by another program" + detail;
    case EndReason::failed:
      return "failed" + detail;
    case EndReason::unknown:
      break;
  }
  return "has no recorded end";
}

Limit find_limit(const Recording& recording, const std::vector<LevelReport>& levels) {
  Limit own;
  for (std::size_t i = 0; i < levels.size(); ++i) {
    if (Finding finding = degraded({recording, levels.front(), levels[i]})) {
      finding->level = i;
      return *finding;
    }
    const FailureReason* reason = main_reason(levels[i], [](const FailureReason& each) {
      return each.origin == FailureOrigin::own_limit;
    });
    if (reason == nullptr || own.cause != LimitCause::none) continue;
    own = {LimitCause::own_limit, i, failed_text(levels[i], reason->count, *reason)};
  }
  return own;
}

std::string_view limit_cause_name(LimitCause cause) {
  constexpr std::array<std::string_view, 10> names = {
      "none",     "own_limit", "target_died", "refusal", "backlog",
      "fd_limit", "loop",      "memory",      "dropped", "failures"};
  const auto index = static_cast<std::size_t>(cause);
  return index < names.size() ? names[index] : "?";
}

}  // namespace ebbtide
