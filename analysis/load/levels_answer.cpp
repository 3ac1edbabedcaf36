#include "analysis/load/levels_answer.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "analysis/format.h"
#include "analysis/load/limit.h"

namespace ebbtide {
namespace {

constexpr double busy_share = 0.9;
constexpr double mostly_busy_share = 0.6;
constexpr double farthest_extrapolation = 200;  // times the largest level
constexpr double busy_driver_share = 0.7;
constexpr double much_of_the_wait = 0.5;
constexpr double long_stall_seconds = 0.1;

const LevelReport* largest_finished(const LevelsAssessment& assessment) {
  const LevelReport* largest = nullptr;
  for (const LevelReport& level : assessment.levels) {
    if (!level.finished || level.established == 0) continue;
    if (largest == nullptr || level.established > largest->established) largest = &level;
  }
  return largest;
}

// The peer that a connection waits for most of the time that it takes to be established.
std::string waited_for(const Recording& recording, const LevelReport& level) {
  for (const UpstreamWait& wait : recording.upstream_waits) {
    if (wait.cycle != level.cycle || wait.phase != Phase::open || level.whole.sum <= 0) continue;
    const double share = static_cast<double>(wait.total_ns) * 1e-9 / level.whole.sum;
    if (share < much_of_the_wait) continue;
    return fmt::format("the server's wait for {}:{} ({} of the time to established)", wait.address,
                       wait.port, percent_text(std::min(share, 1.0)));
  }
  return "";
}

// Whether the last connection started within a tenth of the whole from when it was to.
bool keeps_schedule(const Recording& recording, const LevelReport& level) {
  std::uint64_t first = UINT64_MAX;
  std::uint64_t last = 0;
  std::uint64_t last_start = 0;
  for (const Connection& connection : recording.connections) {
    if (connection.cycle != level.cycle || connection.scheduled_ns == 0) continue;
    first = std::min(first, connection.scheduled_ns);
    last = std::max(last, connection.scheduled_ns);
    last_start = std::max(last_start, connection.start_ns);
  }
  return last > 0 && last_start <= last + (last - first) / 10;
}

double cpu_share(const LevelReport& level) {
  const CpuUse* cpu = use_in(level.cpu, Phase::open);
  if (cpu == nullptr || cpu->span_seconds <= 0) return 0;
  return (cpu->user_seconds + cpu->system_seconds) / cpu->span_seconds;
}

bool apart_from_zero(const ConnectionCost& cost) {
  return cost.per_connection && cost.interval.low > 0;
}

std::string interval_of(const LevelsAssessment& assessment, const ConnectionCost& cost) {
  return fmt::format("{:.0f} % interval {}, {}", assessment.confidence * 100,
                     interval_text(cost.interval, Unit::bytes), counted(cost.levels, "level"));
}

std::string cost_sentence(const LevelsAssessment& assessment) {
  const ConnectionCost* rss = cost_named(assessment, "RSS");
  if (rss == nullptr || !rss->at_largest) return "";
  const ConnectionCost* heap = cost_named(assessment, "V8 heap reachable");
  if (!rss->per_connection && *rss->at_largest <= 0) {
    return fmt::format(" RSS did not grow up to {} ({}: not enough to tell what one takes).",
                       counted(static_cast<std::uint64_t>(rss->largest), "connection"),
                       counted(rss->levels, "level"));
  }
  if (!rss->per_connection) {
    return fmt::format(
        " At {} each took {} of RSS, what the server takes anyway included ({}: not enough to "
        "tell them apart).",
        counted(static_cast<std::uint64_t>(rss->largest), "connection"),
        bytes_text(*rss->at_largest), counted(rss->levels, "level"));
  }
  if (!apart_from_zero(*rss)) {
    std::string text = fmt::format(" What one costs in RSS is lost in the noise ({})",
                                   interval_of(assessment, *rss));
    if (heap != nullptr && apart_from_zero(*heap)) {
      text += fmt::format("; it takes {} of V8 heap ({})", bytes_text(*heap->per_connection),
                          interval_of(assessment, *heap));
    }
    return text + ".";
  }
  std::string text = fmt::format(" Each costs {} of RSS ({})", bytes_text(*rss->per_connection),
                                 interval_of(assessment, *rss));
  if (heap != nullptr && apart_from_zero(*heap)) {
    text += fmt::format(", {} of it V8 heap", bytes_text(*heap->per_connection));
  }
  const ConnectionCost* kernel = cost_named(assessment, "kernel socket queues");
  if (kernel != nullptr && apart_from_zero(*kernel)) {
    text +=
        fmt::format(", and {} in the kernel's socket queues", bytes_text(*kernel->per_connection));
  }
  return text + ".";
}

// The longest stall of the event loop while connections were opened or held, if it is no part of
// the limit.
std::string stall_sentence(const LevelsAssessment& assessment) {
  if (assessment.limit.cause == LimitCause::loop) return "";
  const LevelReport* where = nullptr;
  double longest = long_stall_seconds;
  for (const LevelReport& level : assessment.levels) {
    for (const Phase phase : {Phase::open, Phase::hold}) {
      const LoopUse* loop = use_in(level.loops, phase);
      if (loop == nullptr || loop->longest_seconds < longest) continue;
      longest = loop->longest_seconds;
      where = &level;
    }
  }
  if (where == nullptr) return "";
  return fmt::format(" The event loop once stood still for {}, at {}.", duration_text(longest),
                     counted(where->attempted, "connection"));
}

std::string held_before(const LevelsAssessment& assessment) {
  if (assessment.held == 0) return "no smaller level was held";
  return fmt::format("{} were held before", number_text(assessment.held));
}

std::string not_degraded(const Recording& recording, const LevelsAssessment& assessment) {
  std::string text = assessment.held == 0
                         ? "No level was finished"
                         : counted(assessment.held, "connection") + " held; no limit reached";
  if (recording.end.reason == EndReason::completed) return text;
  text += (target_died(recording.end) ? "; the target " : "; the run ") + end_of_run(recording.end);
  if (!assessment.levels.back().finished) {
    text += fmt::format(" in the level of {}", number_text(assessment.levels.back().attempted));
  }
  return text;
}

std::string limit_text(const Recording& recording, const LevelsAssessment& assessment) {
  const Limit& limit = assessment.limit;
  if (limit.cause == LimitCause::none) return not_degraded(recording, assessment);
  const LevelReport& level = assessment.levels[limit.level];
  const std::string where = level.attempted == 0 ? fmt::format("In level {}", limit.level + 1)
                                                 : "At " + counted(level.attempted, "connection");
  if (limit.cause == LimitCause::own_limit) {
    return fmt::format("{} held; then this machine's limit stopped the tool, not the server: {}",
                       counted(assessment.held, "connection"), limit.reason);
  }
  return fmt::format("{} {}; {}", where, limit.reason, held_before(assessment));
}

}  // namespace

const ConnectionCost* cost_named(const LevelsAssessment& assessment, std::string_view subject) {
  const auto found = std::ranges::find(assessment.costs, subject, &ConnectionCost::subject);
  return found == assessment.costs.end() ? nullptr : &*found;
}

std::string opening_bound(const Recording& recording, const LevelsAssessment& assessment) {
  const LevelReport* level = largest_finished(assessment);
  if (level == nullptr) return "";
  const LoopUse* loop = use_in(level->loops, Phase::open);
  if (loop != nullptr && is_delayed(*loop)) {
    return fmt::format(
        "this machine: {} of the time the server's event loop is ready to run while others have "
        "the CPU",
        percent_text(loop->delayed_share));
  }
  if (loop != nullptr && loop->busy_share > busy_share) {
    return fmt::format("the server's event loop, busy {} of the time",
                       percent_text(loop->busy_share));
  }
  if (const std::string peer = waited_for(recording, *level); !peer.empty()) return peer;
  if (level->driver_share.value_or(0) > busy_driver_share) {
    return fmt::format("the tool itself, its CPU busy {} of the time: the server may be faster",
                       percent_text(*level->driver_share));
  }
  if (cpu_share(*level) > busy_share) {
    return fmt::format("the server's CPU, {} of one", percent_text(cpu_share(*level)));
  }
  if (keeps_schedule(recording, *level)) return "the rate that was asked for";
  if (level->near_1s + level->near_3s > 0)
    return "SYNs that got lost and were sent again after 1 s";
  if (loop != nullptr && loop->busy_share > mostly_busy_share) {
    return fmt::format("the server's event loop for the most part, busy {} of the time",
                       percent_text(loop->busy_share));
  }
  if (loop == nullptr || !level->driver_share) return "";
  const std::uint32_t window = recording.run.plan.window;
  return fmt::format("{}: the server's event loop is busy {} of the time, the tool {}",
                     window == 0 ? std::string("neither side, all being opened at once")
                                 : fmt::format("the number that open at once ({})", window),
                     percent_text(loop->busy_share), percent_text(*level->driver_share));
}

std::string extrapolation(const LevelsAssessment& assessment) {
  constexpr double gib = 1024.0 * 1024 * 1024;
  const ConnectionCost* rss = cost_named(assessment, "RSS");
  const LevelReport* level = largest_finished(assessment);
  if (rss == nullptr || level == nullptr || !apart_from_zero(*rss)) return "";
  const auto use = std::ranges::find(level->uses, "RSS", &LevelOfUse::subject);
  if (use == level->uses.end() || !use->held) return "";
  // From the largest level on, in the next power of two of GB.
  double target = gib;
  while (target < 2 * *use->held) target *= 2;
  const double beyond = (target - *use->held) / *rss->per_connection;
  if (beyond > farthest_extrapolation * static_cast<double>(level->open)) return "";
  const auto at = [&](double cost) {
    const double connections = static_cast<double>(level->open) + (target - *use->held) / cost;
    const double scale = std::pow(10, std::floor(std::log10(connections)) - 1);
    return integer_text(std::llround(std::round(connections / scale) * scale));
  };
  return fmt::format(
      "Extrapolated, not measured: RSS would reach {} at about {} connections (with the interval's "
      "ends {} to {}), if nothing else stopped the server before.",
      bytes_text(target), at(*rss->per_connection), at(rss->interval.high), at(rss->interval.low));
}

std::string levels_sentence(const Recording& recording, const LevelsAssessment& assessment) {
  if (assessment.levels.empty()) {
    const std::string end = end_of_run(recording.end);
    return "No level began" + (end.empty() ? "." : "; the run " + end + ".");
  }
  const bool any = std::ranges::any_of(
      assessment.levels, [](const LevelReport& level) { return level.established > 0; });
  if (!any) {
    const std::string end = end_of_run(recording.end);
    const std::string why = assessment.limit.cause != LimitCause::none ? assessment.limit.reason
                            : end.empty()                              ? "why was not recorded"
                                                                       : "the run " + end;
    return "No connection was established: " + why + ".";
  }
  std::string text = limit_text(recording, assessment) + "." + cost_sentence(assessment);
  if (!assessment.opening_bound.empty()) {
    text += " Opening is bound by " + assessment.opening_bound + ".";
  }
  return text + stall_sentence(assessment);
}

}  // namespace ebbtide
