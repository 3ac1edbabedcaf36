#include <fmt/format.h>

#include <algorithm>
#include <set>
#include <sstream>
#include <utility>
#include <vector>

#include "analysis/format.h"
#include "analysis/looks.h"
#include "analysis/report/escape.h"
#include "analysis/report/retention_section.h"
#include "analysis/report/review_section.h"
#include "analysis/report/sections.h"
#include "analysis/sentence.h"
#include "analysis/thresholds.h"
#include "recording/span.h"

namespace ebbtide {
namespace {

using Advice = std::vector<std::string>;

constexpr std::uint32_t usual_cycles = 10;
constexpr std::uint32_t least_cycles = 4;  // as the verdict has it, docs/method.md

std::string amount(const Judgement& judgement) {
  return amount_text(judgement.per_connection, judgement.unit);
}

std::string socket_advice(const ReportInput& input, const std::string& kept) {
  const std::string state = survivor_state(input.recording, input.join);
  if (state.find("CLOSE_WAIT") != std::string::npos) {
    return kept + ": the server ignores the end of the stream. " +
           (is_v8(input.recording)
                ? "Answer `'end'` with `socket.end()`, or drop `allowHalfOpen: true`; an upgrade "
                  "that is refused needs `socket.destroy()`."
                : "Call `close()` when `read()` returns 0, on error paths too.");
  }
  if (state.find("FIN_WAIT2") != std::string::npos) {
    return kept +
           ": the server closes its half and waits for ever. Destroy the socket after a "
           "timeout, or close it at once instead of shutting down one direction.";
  }
  return kept +
         ": nothing closes them. Look for the handler that should, and for paths (error, "
         "early return, aborted request) that go around it.";
}

std::string cause_advice(const HeapCause& cause) {
  const std::string kept = code_span(cause.path, 300);
  const std::string each =
      fmt::format("{} {} per connection", count_text(cause.objects_per_connection),
                  code_span(cause.content, 80));
  if (cause.content.starts_with("Timeout") || cause.content.starts_with("Immediate"))
    return fmt::format("Clear the timer when its connection closes ({} stays armed): {}.", each,
                       kept);
  if (cause.path.find("listeners") != std::string::npos)
    return fmt::format(
        "Remove the listener when its connection closes (`off`, an AbortSignal, or `once`): {} "
        "stays "
        "on {}.",
        each, kept);
  if (cause.handles_only)
    return fmt::format("Close what keeps {} alive when its connection ends: {}.", each, kept);
  return fmt::format(
      "Take out what a connection put in when it closes, on every way it can close: {} stays in "
      "{}.",
      each, kept);
}

// A confirmed finding says where and how to mend what was measured.
std::string finding_advice(const ReviewFinding& finding) {
  std::string text = finding_line(finding) + ".";
  if (!finding.fix.empty()) {
    text += "\n\n";
    std::istringstream block(code_block(finding.fix, "js"));
    for (std::string line; std::getline(block, line);) text += "   " + line + "\n";
  }
  return text;
}

// True when causes were named, so that the heap's gauges need no advice of their own.
bool advise_on_causes(const ReportInput& input, Advice& advice) {
  constexpr std::size_t most = 4;
  const Causes& causes = input.causes;
  std::set<std::size_t> explained;
  for (const JoinedFinding& joined : causes.join.findings) {
    if (joined.standing != Standing::confirmed || advice.size() == most) continue;
    advice.push_back(finding_advice(causes.review.findings[joined.finding]));
    explained.insert(joined.causes.begin(), joined.causes.end());
  }
  for (std::size_t i = 0; i < causes.heap.causes.size() && advice.size() < most; ++i) {
    const HeapCause& cause = causes.heap.causes[i];
    if (cause.bounded || explained.contains(i)) continue;
    advice.push_back(cause_advice(cause));
    explained.insert(i);
  }
  return !explained.empty();
}

bool is_heap_gauge(const Judgement& judgement) {
  return judgement.evidence == Judgement::Evidence::gauge &&
         (judgement.gauge == GaugeKind::heap_used || judgement.gauge == GaugeKind::heap_live ||
          judgement.gauge == GaugeKind::external ||
          judgement.gauge == GaugeKind::heap_live_external);
}

std::string leak_advice(const ReportInput& input, const Judgement& judgement) {
  const std::string kept = fmt::format("Give back the {} {} each connection leaves",
                                       amount(judgement), prose(judgement.subject));
  if (judgement.evidence == Judgement::Evidence::survivors) {
    return judgement.resource == ResourceKind::accepted_socket ? socket_advice(input, kept)
                                                               : kept + ".";
  }
  switch (judgement.gauge) {
    case GaugeKind::fds:
    case GaugeKind::fd_tcp:
    case GaugeKind::sockets_accepted:
      return socket_advice(input, kept);
    case GaugeKind::sockets_outgoing:
      return kept +
             ": the connections the server opens for a client must be closed in that "
             "client's close handler.";
    case GaugeKind::threads:
    case GaugeKind::children:
      return kept + ": end it when its connection ends, or keep a pool of fixed size.";
    case GaugeKind::heap_used:
    case GaugeKind::heap_live:
      return fmt::format(
          "Find what still refers to {} per closed connection: a collection filled when a "
          "connection opens and not emptied in its close handler, a listener on a longer-lived "
          "emitter, or a timer never cleared. Two heap snapshots {} apart show it as the class "
          "whose count grew by that number.",
          amount(judgement), counted(input.recording.run.plan.connections, "connection"));
    case GaugeKind::external:
    case GaugeKind::heap_live_external:
      return fmt::format(
          "Find the Buffers that stay: {} per connection outside the heap. A slice or `subarray` "
          "kept from a received message keeps the whole message; copy the part that is needed.",
          amount(judgement));
    default:
      return fmt::format(
          "Find what keeps {} of {} per connection. It is allocated natively: see the stacks of "
          "surviving mappings above, and trace malloc on the same load.",
          amount(judgement), prose(judgement.subject));
  }
}

// One piece of advice for what several gauges see: an open socket is a file descriptor too.
void advise_on_leaks(const ReportInput& input, Advice& advice) {
  const bool causes_named = advise_on_causes(input, advice);
  bool sockets_done = false;
  for (const Judgement& judgement : input.assessment.judgements) {
    if (!judgement.decisive || judgement.verdict != Verdict::leak) continue;
    if (causes_named && is_heap_gauge(judgement)) continue;
    const bool gauge = judgement.evidence == Judgement::Evidence::gauge;
    const bool sockets =
        gauge ? judgement.gauge == GaugeKind::fds || judgement.gauge == GaugeKind::sockets_accepted
              : judgement.resource == ResourceKind::accepted_socket;
    if (sockets && std::exchange(sockets_done, true)) continue;
    advice.push_back(leak_advice(input, judgement));
  }
}

// What only one way of ending shows is not among the judgements.
void advise_on_endings(const ReportInput& input, Advice& advice) {
  const CloseModes& modes = input.modes;
  for (const ModeOutcome& outcome : modes.outcomes) {
    const std::string when = fmt::format("when a connection {}", ending_phrase(outcome.mode));
    const std::string alone =
        fmt::format("`--close {}` tries it alone", close_mode_title(outcome.mode));
    if (modes.deadly == outcome.mode)
      advice.push_back(
          fmt::format("Keep the server alive {}: {}. {}.", when, prose(modes.death), alone));
    if (!outcome.finding.empty() && outcome.mode != modes.outcomes.front().mode)
      advice.push_back(
          fmt::format("Give back {} what is kept: {}. {}.", when, prose(outcome.finding), alone));
    if (outcome.event_loop.state == ModeCell::State::bad)
      advice.push_back(fmt::format("Find what holds up the event loop {} ({}). {}.", when,
                                   prose(outcome.event_loop.text), alone));
  }
}

// A V8 heap that was never read is nothing that more cycles mend.
bool lacks_the_heap(const Recording& recording, const Judgement& judgement) {
  return judgement.gauge == GaugeKind::heap_used && is_v8(recording) &&
         !was_read(recording, GaugeKind::heap_used);
}

bool is_open(const Judgement& judgement) {
  return judgement.decisive && judgement.verdict == Verdict::inconclusive;
}

void advise_on_doubt(const ReportInput& input, Advice& advice) {
  const Recording& recording = input.recording;
  for (const Judgement& judgement : input.assessment.judgements) {
    if (!is_open(judgement) || !lacks_the_heap(recording, judgement)) continue;
    advice.push_back(
        "Run again with the heap census or the inspector allowed (drop `--no-heap-census` or "
        "`--no-inspector`): resident memory cannot tell a leak from garbage.");
  }
  if (input.assessment.verdict == Verdict::inconclusive) {
    for (const Tier& tier : recording.tiers) {
      if (tier.name != "ebpf" || tier.on) continue;
      advice.push_back("Let the tracer in (" + prose(tier.detail) +
                       "): it counts exactly which sockets and mappings survive.");
    }
  }
  if (const std::string end = end_text(recording.end); !end.empty())
    advice.push_back("Mend first what ended the run: " + prose(end) + ".");
  const std::string next = what_decides(recording, input.assessment);
  if (!next.empty()) advice.push_back("To decide it, " + next + ".");
}

void advise_on_growth(const ReportInput& input, Advice& advice) {
  for (const Judgement& judgement : input.assessment.judgements) {
    if (!judgement.decisive || judgement.verdict != Verdict::saturating) continue;
    advice.push_back(fmt::format(
        "Confirm that the bound is meant: {} {}. A cache or pool needs no fix, only a size that "
        "fits the machine.",
        prose(judgement.subject), prose(judgement.reason)));
  }
  for (const Judgement& judgement : input.assessment.judgements) {
    if (!judgement.decisive || !clock_matters(input.recording, input.assessment, judgement))
      continue;
    advice.push_back(fmt::format(
        "Look for what grows by the clock, {} per second of {}: a timer that appends, a history or "
        "a log kept in memory. Connections have no part in it.",
        amount_text(judgement.drift_per_second, judgement.unit), prose(judgement.subject)));
  }
}

void advise_on_retention(const ReportInput& input, Advice& advice) {
  const Retention& retention = input.assessment.retention;
  for (const KeptMemory& part : retention.parts)
    advice.push_back(retention_advice(retention, part, is_v8(input.recording)));
}

void advise_on_run(const ReportInput& input, Advice& advice) {
  const Recording& recording = input.recording;
  // Those of a cycle that was cut off were broken off by us.
  const auto finished = [&](std::uint32_t cycle) {
    return std::ranges::any_of(recording.cycles,
                               [&](const Cycle& row) { return row.number == cycle; });
  };
  std::uint64_t failed = 0;
  for (const Connection& connection : recording.connections) {
    failed += connection.failed_at != Stage::none && finished(connection.cycle);
  }
  if (failed > 0) {
    advice.push_back(fmt::format(
        "Look into the {} that failed, by reason under Connections; what a server leaves behind "
        "on such paths is often a leak of its own.",
        counted(failed, "connection")));
  }
  const auto caps = std::ranges::count_if(recording.phases, [](const PhaseSpan& span) {
    return span.phase == Phase::settle && span.hit_cap;
  });
  if (caps > 0 && input.assessment.verdict != Verdict::leak) {
    advice.push_back(fmt::format(
        "{} did not settle within {}: run with a longer settle cap to tell a late release (close "
        "timer, grace period) from a leak.",
        counted(static_cast<std::uint64_t>(caps), "cycle"),
        duration_text(static_cast<double>(recording.run.plan.settle_cap_ms) * 1e-3)));
  }
}

}  // namespace

std::string what_decides(const Recording& recording, const Assessment& assessment) {
  const std::uint32_t planned = std::max(usual_cycles, recording.run.plan.cycles);
  const auto again = [](std::string_view option, std::uint32_t value, std::string_view why) {
    return fmt::format("run again with {} {}: {}", option, value, why);
  };
  if (assessment.verdict == Verdict::inconclusive && assessment.cycles < least_cycles)
    return again("--cycles", planned, "fewer than four with connections tell growth from nothing");
  const auto open = std::ranges::find_if(assessment.judgements, [&](const Judgement& judgement) {
    return is_open(judgement) && !lacks_the_heap(recording, judgement);
  });
  if (open == assessment.judgements.end()) return "";
  if (recording.end.reason != EndReason::completed)
    return again("--cycles", planned, "this run did not get far enough");
  if (open->may_come_back)
    return "run again with a longer --cool-down: what is left was being given back";
  const std::uint32_t cycles = cycles_to_decide(assessment);
  if (cycles == 0) {
    return again("--connections", recording.run.plan.connections * 4,
                 "what is so near its limit, more connections tell");
  }
  const double seconds =
      span_seconds(recording.cycles.front().start_ns, recording.cycles.back().end_ns) /
      assessment.cycles;
  return again("--cycles", cycles,
               fmt::format("by the scatter of this run that many tell, in about {}",
                           duration_text(seconds * cycles)));
}

std::string recommendations_section(const ReportInput& input) {
  Advice advice;
  advise_on_leaks(input, advice);
  advise_on_endings(input, advice);
  advise_on_doubt(input, advice);
  advise_on_growth(input, advice);
  advise_on_retention(input, advice);
  advise_on_run(input, advice);
  std::string text = "## Recommendations for Phase 7\n\n";
  const Verdict verdict = input.assessment.verdict;
  if (advice.empty() && (verdict == Verdict::leak || verdict == Verdict::inconclusive)) {
    return text +
           "What stands in the way is said in the first line; run again when it is mended.\n\n";
  }
  if (advice.empty()) {
    return text +
           "Nothing to fix. The command below exits with 0 as long as this stays so, and can guard "
           "the next change.\n\n";
  }
  for (std::size_t i = 0; i < advice.size(); ++i) {
    text += fmt::format("{}. {}\n", i + 1, advice[i]);
  }
  return text + "\n";
}

}  // namespace ebbtide
