#include "analysis/verdict.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <map>
#include <span>
#include <utility>

#include "analysis/cool_down.h"
#include "analysis/format.h"
#include "analysis/holders.h"
#include "analysis/judge.h"
#include "analysis/looks.h"
#include "analysis/run_part.h"
#include "analysis/sentence.h"
#include "analysis/survivors.h"

namespace ebbtide {
namespace {

// Every loss may hide a birth or a death but those that are about something else (where a thing was
// acquired, when garbage was collected, which page was touched) or were made good.
std::uint64_t lost_births_or_deaths(const Recording& recording) {
  std::uint64_t lost = 0;
  for (const Loss& loss : recording.losses) {
    const bool harmless = std::ranges::any_of(
        std::array{"stack", "garbage collection", "page fault", "corrected"},
        [&](const char* about) { return loss.name.find(about) != std::string::npos; });
    if (!harmless) lost += loss.count;
  }
  return lost;
}

// The gauges that count the same things as a kind's survivors, without events that can be lost.
bool counted_by_gauge(const Recording& recording, ResourceKind kind) {
  switch (kind) {
    case ResourceKind::accepted_socket:
      return was_read(recording, GaugeKind::sockets_accepted) ||
             was_read(recording, GaugeKind::fds);
    case ResourceKind::outgoing_socket:
      return was_read(recording, GaugeKind::sockets_outgoing) ||
             was_read(recording, GaugeKind::fds);
    case ResourceKind::fd:
      return was_read(recording, GaugeKind::fds);
    case ResourceKind::mapping:
      return was_read(recording, GaugeKind::mappings);
    case ResourceKind::thread:
      return was_read(recording, GaugeKind::threads);
    case ResourceKind::child:
      return was_read(recording, GaugeKind::children);
  }
  return false;
}

// Deaths may be among the lost records, so survivors of a lossy run accuse nobody.
void refuse_if_lossy(const Recording& recording, Judgement& judgement) {
  const std::uint64_t lost = lost_births_or_deaths(recording);
  if (lost == 0) return;
  judgement.verdict = Verdict::inconclusive;
  judgement.estimated = false;
  judgement.decisive = judgement.decisive && !counted_by_gauge(recording, judgement.resource);
  judgement.reason =
      fmt::format("not to be counted: {} lost, and births or deaths may be among them",
                  lost == 1 ? "1 record was" : counted(lost, "record") + " were");
}

// Connections that reached the target, by cycle: also one that failed later can be kept.
std::map<std::uint32_t, double> connected_by_cycle(const Recording& recording) {
  std::map<std::uint32_t, double> connected;
  for (const Connection& connection : recording.connections) {
    if (connection.connected_ns != 0) ++connected[connection.cycle];
  }
  if (connected.empty()) {
    for (const Cycle& cycle : recording.cycles) connected[cycle.number] = cycle.established;
  }
  for (const auto& [cycle, share] : held_shares(recording)) connected[cycle] *= share;
  return connected;
}

// What each finished cycle with connections, or idle control, has of a kind.
using Cohorts = std::map<ResourceKind, std::vector<CohortShare>>;

Cohorts cohorts_of(const Recording& recording, std::span<const CohortSurvivors> survivors) {
  auto connected = connected_by_cycle(recording);
  std::map<std::uint32_t, const Cycle*> cycle_of;
  for (const Cycle& cycle : recording.cycles) cycle_of[cycle.number] = &cycle;
  Cohorts cohorts;
  for (const CohortSurvivors& row : survivors) {
    const auto found = cycle_of.find(row.cycle);
    if (found == cycle_of.end()) continue;  // of the cool-down
    const Cycle& cycle = *found->second;
    const auto elapsed = static_cast<std::int64_t>(cycle.end_ns - cycle.start_ns);
    cohorts[row.kind].push_back({connected[row.cycle],
                                 static_cast<double>(std::max<std::int64_t>(0, elapsed)) * 1e-9,
                                 static_cast<double>(row.alive_at_end), cycle.dose == 0});
  }
  return cohorts;
}

// A run without its cool-down, and what that changes.
struct Run {
  const Recording& whole;
  const Recording& driven;
  CoolDown cool_down;
};

void judge_kinds(const Run& run, const SocketJoin& join, Assessment& assessment) {
  const Cohorts at_the_end = cohorts_of(run.driven, assessment.survivors);
  Cohorts before;
  if (run.cool_down.taken()) before = cohorts_of(run.driven, find_survivors(run.driven, join));
  for (const auto& [kind, shares] : at_the_end) {
    const KindRule rule = kind_rule(run.whole, kind);
    Judgement judgement = judge_survivors(shares, rule, assessment.confidence);
    if (const auto cohorts = before.find(kind); cohorts != before.end()) {
      judgement = weigh_cool_down(judge_survivors(cohorts->second, rule, assessment.confidence),
                                  std::move(judgement), run.cool_down);
    }
    refuse_if_lossy(run.whole, judgement);
    assessment.judgements.push_back(std::move(judgement));
  }
}

void judge_gauges(const Run& run, Assessment& assessment) {
  for (const GaugeRule& rule : gauge_rules(run.driven)) {
    const FloorSeries series = floor_series(run.driven, rule.terms);
    Judgement judgement = judge_floor(series, rule, assessment.confidence);
    if (run.cool_down.taken() && !series.readings.empty()) {
      const double level_after = floor_series(run.whole, rule.terms).readings.back().value;
      weigh_cool_down(series, level_after, run.cool_down, judgement);
    }
    assessment.judgements.push_back(std::move(judgement));
  }
  if (!is_v8(run.whole) || was_read(run.whole, GaugeKind::heap_used) ||
      was_read(run.whole, GaugeKind::heap_live))
    return;
  Judgement missing;
  missing.gauge = GaugeKind::heap_used;
  missing.estimated = false;
  missing.subject = std::string(gauge_info(GaugeKind::heap_used).title);
  missing.reason =
      "not measured, and the RSS of a V8 process cannot tell a leak from garbage not yet "
      "collected; allow the heap census or the inspector (see Conditions for why neither was "
      "there)";
  assessment.judgements.push_back(std::move(missing));
}

int severity(Verdict verdict) {
  switch (verdict) {
    case Verdict::leak:
      return 3;
    case Verdict::inconclusive:
      return 2;
    case Verdict::saturating:
      return 1;
    case Verdict::no_leak:
      break;
  }
  return 0;
}

Verdict overall(const Recording& recording, const Assessment& assessment) {
  Verdict worst = Verdict::no_leak;
  bool decided = false;
  for (const Judgement& judgement : assessment.judgements) {
    if (!judgement.decisive) continue;
    decided = true;
    if (severity(judgement.verdict) > severity(worst)) worst = judgement.verdict;
  }
  if (worst == Verdict::leak) return worst;
  if (!decided || !reservation(recording, assessment).empty()) return Verdict::inconclusive;
  return worst;
}

}  // namespace

std::string_view verdict_title(Verdict verdict) {
  switch (verdict) {
    case Verdict::no_leak:
      return "NO LEAK";
    case Verdict::saturating:
      return "SATURATING";
    case Verdict::inconclusive:
      return "INCONCLUSIVE";
    case Verdict::leak:
      return "LEAK";
  }
  return "?";
}

std::string_view verdict_name(Verdict verdict) {
  switch (verdict) {
    case Verdict::no_leak:
      return "no_leak";
    case Verdict::saturating:
      return "saturating";
    case Verdict::inconclusive:
      return "inconclusive";
    case Verdict::leak:
      return "leak";
  }
  return "?";
}

Assessment assess(const Recording& recording) {
  Assessment assessment;
  for (const Cycle& cycle : recording.cycles) {
    if (cycle.dose == 0) continue;
    ++assessment.cycles;
    assessment.connections += cycle.established;
  }
  assessment.confidence = look_confidence(recording.run.plan.cycles, assessment.cycles);
  const SocketJoin join = join_sockets(recording);
  assessment.survivors = find_survivors(recording, join);
  assessment.retention = find_retention(recording);
  const CoolDown cool_down = find_cool_down(recording);
  std::optional<Recording> before;
  if (cool_down.taken()) before = run_before(recording, cool_down.first_cycle);
  const Run run{recording, before ? *before : recording, cool_down};
  judge_gauges(run, assessment);
  judge_kinds(run, join, assessment);
  const auto weight = [](const Judgement& judgement) {
    return (judgement.decisive ? 10 : 0) + severity(judgement.verdict);
  };
  std::ranges::stable_sort(assessment.judgements, std::ranges::greater(), weight);
  assessment.verdict = overall(recording, assessment);
  assessment.sentence = verdict_sentence(recording, join, assessment);
  return assessment;
}

}  // namespace ebbtide
