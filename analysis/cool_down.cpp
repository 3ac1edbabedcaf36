#include "analysis/cool_down.h"

#include <fmt/format.h>

#include <algorithm>
#include <map>
#include <string>
#include <tuple>

#include "analysis/format.h"
#include "analysis/thresholds.h"

namespace ebbtide {
namespace {

constexpr double share_given_back = 0.5;
constexpr double timer_slack = 1;  // seconds by which a timer may be late
// So many timers of one kind more than at the first look were begun by connections.
constexpr std::uint64_t grown_timers = 5;

std::string rest_text(const CoolDown& cool_down) {
  return fmt::format("{:.0f} s without connections", cool_down.seconds);
}

// Of the timers that ran at one look, by what they are.
using TimerKind = std::tuple<std::string, std::string, std::uint32_t, std::uint32_t, std::uint64_t>;

std::map<TimerKind, std::uint64_t> timers_at(const Recording& recording, std::uint32_t cycle) {
  std::map<TimerKind, std::uint64_t> counts;
  for (const HeapTimer& timer : recording.heap_timers) {
    if (timer.cycle != cycle) continue;
    counts[{timer.isolate, timer.callback.script, timer.callback.line, timer.callback.column,
            timer.delay_ms}] += timer.count;
  }
  return counts;
}

// How long a running timer may take to give something back. One that repeats for the whole server
// may look at ages of its own, so that its period says little. The runtime's own timers count when
// connections began them: a socket's time limit, not the server's.
double longest_pending(const Recording& recording, double most) {
  std::uint32_t first = recording.heap_censuses.front().cycle;
  std::uint32_t last = first;
  for (const HeapCensus& census : recording.heap_censuses) {
    first = std::min(first, census.cycle);
    last = std::max(last, census.cycle);
  }
  const auto at_first = timers_at(recording, first);
  const auto at_last = timers_at(recording, last);
  double longest = 0;
  for (const HeapTimer& timer : recording.heap_timers) {
    if (timer.cycle != last) continue;
    const TimerKind kind{timer.isolate, timer.callback.script, timer.callback.line,
                         timer.callback.column, timer.delay_ms};
    const auto before = at_first.find(kind);
    const bool grown =
        at_last.at(kind) >= (before == at_first.end() ? 0 : before->second) + grown_timers;
    const bool own = !timer.callback.script.empty();
    if (!own && !grown) continue;
    const double delay = static_cast<double>(timer.delay_ms) * 1e-3 + timer_slack;
    if (delay > most) continue;  // waiting would show nothing
    longest = std::max(longest, timer.repeats && !grown ? most : delay);
  }
  return longest;
}

}  // namespace

CoolDown find_cool_down(const Recording& recording) {
  CoolDown cool_down;
  for (const PhaseSpan& span : recording.phases) {
    if (span.phase != Phase::cool_down) continue;
    const auto cycle = std::ranges::find(recording.cycles, span.cycle, &Cycle::number);
    if (cycle == recording.cycles.end()) continue;
    if (!cool_down.taken()) cool_down.first_cycle = span.cycle;
    cool_down.first_cycle = std::min(cool_down.first_cycle, span.cycle);
    const auto length = static_cast<std::int64_t>(cycle->end_ns - cycle->start_ns);
    cool_down.seconds += static_cast<double>(std::max<std::int64_t>(0, length)) * 1e-9;
  }
  return cool_down;
}

void weigh_cool_down(const FloorSeries& before, double level_after, const CoolDown& cool_down,
                     Judgement& judgement) {
  const bool open =
      judgement.verdict == Verdict::leak || judgement.verdict == Verdict::inconclusive;
  const std::size_t first = std::min<std::size_t>(judgement.warm_up_cycles, before.points.size());
  if (!open || !judgement.estimated || before.points.size() <= first + 1) return;
  const FloorPoint& from = before.points[first];
  const FloorPoint& to = before.points.back();
  const double grown = to.value - from.value;
  const double returned = to.value - level_after;
  const double connections = to.connections - from.connections;
  if (grown <= 0 || returned < share_given_back * grown) {
    if (judgement.verdict == Verdict::leak) {
      judgement.reason += "; still there after " + rest_text(cool_down);
    }
    return;
  }
  judgement.late_return = returned / connections;
  judgement.per_connection -= judgement.late_return;
  judgement.interval.low -= judgement.late_return;
  judgement.interval.high -= judgement.late_return;
  const double left = std::max(0.0, grown - returned);
  judgement.may_come_back = left / connections >= judgement.limit;
  judgement.verdict = judgement.may_come_back ? Verdict::inconclusive : Verdict::no_leak;
  judgement.reason = fmt::format("given back late: {} of {} within {}",
                                 amount_text(std::min(returned, grown), judgement.unit),
                                 amount_text(grown, judgement.unit), rest_text(cool_down));
}

Judgement weigh_cool_down(const Judgement& before, Judgement after, const CoolDown& cool_down) {
  if (after.verdict == Verdict::leak) {
    after.reason += "; still there after " + rest_text(cool_down);
  } else if (before.per_connection > after.per_connection) {
    after.late_return = before.per_connection - after.per_connection;
    after.reason += fmt::format("; {} per connection were given back within {}",
                                count_text(after.late_return), rest_text(cool_down));
  }
  return after;
}

double cool_down_needed(const Recording& recording, const Assessment& assessment, double most) {
  const bool waiting = std::ranges::any_of(assessment.judgements, [](const Judgement& judgement) {
    return judgement.decisive && judgement.may_come_back;
  });
  if (assessment.verdict != Verdict::leak && !waiting) return 0;
  const bool looked = is_v8(recording) && !recording.heap_censuses.empty();
  const double pending = looked ? std::min(most, longest_pending(recording, most)) : most;
  return std::max(0.0, pending - find_cool_down(recording).seconds);
}

}  // namespace ebbtide
