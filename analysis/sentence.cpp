#include "analysis/sentence.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>

#include "analysis/cool_down.h"
#include "analysis/format.h"
#include "analysis/holders.h"
#include "analysis/survivors.h"
#include "analysis/thresholds.h"

namespace ebbtide {
namespace {

// "V8 heap", as in "64.3 KB of V8 heap".
std::string substance(const Judgement& judgement) {
  if (judgement.gauge == GaugeKind::heap_used || judgement.gauge == GaugeKind::heap_live)
    return "V8 heap";
  return judgement.subject;
}

// "64.3 KB of V8 heap", "1.00 file descriptors".
std::string phrase(double amount, const Judgement& judgement) {
  const std::string text = amount_text(amount, judgement.unit);
  if (judgement.unit == Unit::bytes) return text + " of " + substance(judgement);
  return text + " " + judgement.subject;
}

std::string loss_phrase(const Judgement& judgement) {
  return phrase(judgement.per_connection, judgement);
}

std::string basis(const Judgement& first, const Judgement* second, const Assessment& assessment) {
  const bool gauge = first.evidence == Judgement::Evidence::gauge;
  std::string intervals = interval_text(first.interval, first.unit);
  if (second != nullptr) intervals += " and " + interval_text(second->interval, second->unit);
  return fmt::format("({:g} % {} {}, {}, {})", assessment.confidence * 100,
                     second == nullptr ? "interval" : "intervals", intervals,
                     counted(first.points, gauge ? "settle point" : "cycle"),
                     counted(assessment.connections, "connection"));
}

bool holds_sockets(const Judgement& judgement) {
  if (judgement.evidence == Judgement::Evidence::survivors) {
    return judgement.resource == ResourceKind::accepted_socket;
  }
  constexpr std::array kinds = {GaugeKind::fds, GaugeKind::fd_tcp, GaugeKind::sockets_accepted,
                                GaugeKind::sockets_close_wait, GaugeKind::sockets_fin_wait2};
  return std::ranges::find(kinds, judgement.gauge) != kinds.end();
}

// The first decisive judgement with this verdict; those in `unit` go before others.
const Judgement* telling(const Assessment& assessment, Verdict verdict, Unit unit) {
  const Judgement* any = nullptr;
  for (const Judgement& judgement : assessment.judgements) {
    if (!judgement.decisive || judgement.verdict != verdict) continue;
    if (judgement.unit == unit) return &judgement;
    if (any == nullptr) any = &judgement;
  }
  return any;
}

// Resident memory may as well be what an allocator keeps: it says so where its blocks were not
// read.
std::string resident_alone(const Recording& recording, const Judgement& judgement) {
  const bool resident = judgement.evidence == Judgement::Evidence::gauge &&
                        (judgement.gauge == GaugeKind::anon || judgement.gauge == GaugeKind::rss);
  if (!resident || was_read(recording, GaugeKind::malloc_in_use)) return "";
  return "; resident memory alone says so: malloc's blocks were not counted (see Conditions)";
}

std::string leak_text(const Recording& recording, const SocketJoin& join,
                      const Assessment& assessment) {
  // What is kept whole explains the memory that is kept with it.
  const Judgement& first = *telling(assessment, Verdict::leak, Unit::count);
  const Judgement* memory = telling(assessment, Verdict::leak, Unit::bytes);
  const bool shared = find_holders(recording).shared();
  std::string text = fmt::format("each connection {}leaves {} behind",
                                 shared ? "that the traced process held " : "", loss_phrase(first));
  const std::string state = holds_sockets(first) ? survivor_state(recording, join) : "";
  if (!state.empty()) text += ", " + state;
  if (memory->unit != Unit::bytes || memory == &first) memory = nullptr;
  if (memory != nullptr) text += ", and with it " + loss_phrase(*memory);
  text += " " + basis(first, memory, assessment);
  const CoolDown cool_down = find_cool_down(recording);
  if (cool_down.taken())
    text +=
        fmt::format("; it was still there after {:.0f} s without connections", cool_down.seconds);
  return text + resident_alone(recording, first);
}

// "; of it 10.2 KB of V8 heap per connection only within 31 s without connections".
std::string late_clause(const Recording& recording, const Assessment& assessment) {
  const auto late = std::ranges::find_if(assessment.judgements, [](const Judgement& judgement) {
    return judgement.decisive && judgement.late_return > 0;
  });
  if (late == assessment.judgements.end()) return "";
  return fmt::format(", {} of each late, within {:.0f} s without connections",
                     phrase(late->late_return, *late), find_cool_down(recording).seconds);
}

// "…, or of more than 2.3 KB of anonymous memory beside malloc": where malloc's blocks and the rest
// are counted apart, each sees leaks from another size on.
std::string other_limit(const Assessment& assessment, const Judgement& first) {
  if (first.gauge != GaugeKind::malloc_in_use) return "";
  for (const Judgement& judgement : assessment.judgements) {
    if (judgement.decisive && judgement.gauge == GaugeKind::anon && judgement.unit == first.unit)
      return fmt::format(", or of more than {}", phrase(judgement.limit, judgement));
  }
  return "";
}

std::string no_leak_text(const Recording& recording, const Assessment& assessment) {
  const Judgement& first = *telling(assessment, Verdict::no_leak, Unit::bytes);
  const bool gauge = first.evidence == Judgement::Evidence::gauge;
  std::string text = fmt::format(
      "what {} took came back{}; a leak of more than {}{} per connection would have been seen "
      "(measured {}, {:g} % interval {}, {})",
      counted(assessment.connections, "connection"), late_clause(recording, assessment),
      phrase(first.limit, first), other_limit(assessment, first),
      amount_text(first.per_connection, first.unit), assessment.confidence * 100,
      interval_text(first.interval, first.unit),
      counted(first.points, gauge ? "settle point" : "cycle"));
  for (const Judgement& judgement : assessment.judgements) {
    if (!judgement.decisive || !clock_matters(recording, assessment, judgement)) continue;
    text += fmt::format("; {} grows by {} per second whether or not anyone connects",
                        judgement.subject, amount_text(judgement.drift_per_second, judgement.unit));
  }
  return text;
}

// What other processes took for the connections was not measured.
std::string other_holders(const Recording& recording) {
  const Holders holders = find_holders(recording);
  if (!holders.shared()) return "";
  const char* advice = "leave --pid out, or trace the process that holds them";
  if (holders.traced == 0)
    return fmt::format("the traced process never held the connections; {}", advice);
  return fmt::format("other processes held {} of the {}; {}",
                     integer_text(static_cast<std::int64_t>(holders.elsewhere)),
                     counted(holders.seen(), "connection"), advice);
}

}  // namespace

bool clock_matters(const Recording& recording, const Assessment& assessment,
                   const Judgement& judgement) {
  if (recording.cycles.empty()) return false;
  const auto elapsed = recording.cycles.back().end_ns - recording.cycles.front().start_ns;
  return judgement.drift_per_second * static_cast<double>(elapsed) * 1e-9 >
         judgement.limit * static_cast<double>(assessment.connections);
}

std::string survivor_state(const Recording& recording, const SocketJoin& join) {
  const auto alive = surviving_resources(recording, join, ResourceKind::accepted_socket);
  std::unordered_set<std::uint64_t> ids;
  for (const Resource* resource : alive) ids.insert(resource->id);
  std::array<std::size_t, tcp_state_count> count{};
  for (const SocketLife& socket : recording.sockets) {
    if (socket.state < tcp_state_count && ids.contains(socket.resource_id)) ++count[socket.state];
  }
  constexpr std::size_t established = 1;
  constexpr std::size_t fin_wait2 = 5;
  constexpr std::size_t close_wait = 8;
  const auto most = [&](std::size_t state) { return count[state] * 2 > ids.size(); };
  if (most(close_wait)) return "in CLOSE_WAIT (the peer closed, the server never did)";
  if (most(fin_wait2)) return "in FIN_WAIT2 (the server closed its half, the peer never did)";
  if (most(established)) return "in ESTABLISHED (neither side closed)";
  return "";
}

std::string end_text(const RunEnd& end) {
  const std::string detail = end.detail.empty() ? "" : " (" + end.detail + ")";
  switch (end.reason) {
    case EndReason::target_exited:
      return "the target exited" + detail;
    case EndReason::target_killed:
      return "the target was killed" + detail;
    case EndReason::target_oom_killed:
      return "the target was killed for lack of memory" + detail;
    case EndReason::failed:
      return "the run failed" + detail;
    case EndReason::target_exec:
      return "the target replaced itself by another program";
    default:
      return "";
  }
}

std::string reservation(const Recording& recording, const Assessment& assessment) {
  std::uint64_t asked = 0;
  for (const Cycle& cycle : recording.cycles) asked += cycle.dose;
  if (const std::string end = end_text(recording.end); !end.empty()) {
    return fmt::format("{} after {}", end, counted(assessment.cycles, "finished cycle"));
  }
  if (assessment.cycles == 0) return "no cycle of connections finished";
  if (assessment.connections * 2 < asked) {
    return fmt::format("only {} of {} were established",
                       integer_text(static_cast<std::int64_t>(assessment.connections)),
                       counted(asked, "connection"));
  }
  return other_holders(recording);
}

std::string verdict_sentence(const Recording& recording, const SocketJoin& join,
                             const Assessment& assessment) {
  const std::string doubt = reservation(recording, assessment);
  std::string text;
  if (assessment.verdict == Verdict::leak) {
    text = leak_text(recording, join, assessment);
    if (!doubt.empty()) text += "; " + doubt;
  } else if (!doubt.empty()) {
    text = doubt;
  } else if (assessment.verdict == Verdict::no_leak) {
    text = no_leak_text(recording, assessment);
  } else if (const auto* first = telling(assessment, assessment.verdict, Unit::bytes)) {
    const bool verb = assessment.verdict == Verdict::saturating;
    text = first->subject + (verb ? " " : " – ") + first->reason;
  } else {
    text = "nothing was measured that could decide";
  }
  return fmt::format("{}: {}.", verdict_title(assessment.verdict), text);
}

}  // namespace ebbtide
