#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "analysis/format.h"
#include "analysis/judge.h"

namespace ebbtide {
namespace {

constexpr std::size_t cycles_needed = 3;

double share(std::span<const CohortShare> cohorts) {
  double alive = 0;
  double connections = 0;
  for (const CohortShare& cohort : cohorts) {
    alive += cohort.alive_at_end;
    connections += cohort.connections;
  }
  return connections > 0 ? alive / connections : 0;
}

// Cycles with connections, each less what idle cycles leave behind in the same time.
std::vector<CohortShare> without_clock(std::span<const CohortShare> cohorts) {
  double idle_alive = 0;
  double idle_seconds = 0;
  for (const CohortShare& cohort : cohorts) {
    if (!cohort.idle) continue;
    idle_alive += cohort.alive_at_end;
    idle_seconds += cohort.seconds;
  }
  const double rate = idle_seconds > 0 ? idle_alive / idle_seconds : 0;
  std::vector<CohortShare> driven;
  for (CohortShare cohort : cohorts) {
    if (cohort.idle) continue;
    cohort.alive_at_end = std::max(0.0, cohort.alive_at_end - rate * cohort.seconds);
    driven.push_back(cohort);
  }
  return driven;
}

void decide_survivors(Judgement& judgement, std::span<const CohortShare> used) {
  const std::size_t third = std::max<std::size_t>(1, used.size() / 3);
  const double earlier = share(used.first(used.size() - third));
  const double last = share(used.last(third));
  const bool few = used.size() < cycles_needed;
  const bool clear =
      used.size() >= 2 && std::ranges::all_of(used, [](const CohortShare& cohort) {
        return cohort.alive_at_end >= cohort.connections / 2 && cohort.connections > 0;
      });
  const std::string limit = count_text(judgement.limit) + " per connection";
  if (few && !clear) {
    judgement.estimated = false;
    judgement.reason = fmt::format("too little to go by ({} after the first)",
                                   counted(used.size(), "finished cycle"));
  } else if (judgement.interval.high < judgement.limit) {
    judgement.verdict = Verdict::no_leak;
    judgement.reason = "below the limit of " + limit;
  } else if (judgement.interval.low <= judgement.limit) {
    judgement.reason = "the interval holds the limit of " + limit;
  } else if (last < earlier / 2) {
    judgement.verdict = Verdict::saturating;
    judgement.reason = fmt::format("from early cycles only: {}, {} in the last third",
                                   count_text(earlier) + " per connection", count_text(last));
  } else if (earlier < last / 2) {
    const bool all_gone = earlier < judgement.limit;
    judgement.verdict = all_gone ? Verdict::no_leak : Verdict::inconclusive;
    judgement.may_come_back = !all_gone;
    judgement.reason = "given back late: only those of the last cycles were still there";
  } else {
    judgement.verdict = Verdict::leak;
    judgement.reason = fmt::format("from every cycle: {} from the last third of the run",
                                   count_text(last) + " per connection");
  }
}

}  // namespace

Judgement judge_survivors(std::span<const CohortShare> cohorts, const KindRule& rule,
                          double confidence) {
  Judgement judgement;
  judgement.evidence = Judgement::Evidence::survivors;
  judgement.resource = rule.kind;
  judgement.subject = rule.subject;
  judgement.unit = Unit::count;
  const std::vector<CohortShare> driven = without_clock(cohorts);
  judgement.warm_up_cycles = driven.empty() ? 0 : 1;
  const auto used = std::span(driven).subspan(judgement.warm_up_cycles);
  judgement.points = static_cast<std::uint32_t>(used.size());
  double connections = 0;
  for (const CohortShare& cohort : used) connections += cohort.connections;
  judgement.limit = rule.threshold.limit(connections);
  judgement.per_connection = share(used);
  judgement.interval =
      share_interval(std::round(judgement.per_connection * connections), connections, confidence);
  if (connections == 0) {
    judgement.estimated = false;
    judgement.reason = "too little to go by (no connection after the first cycle)";
  } else {
    decide_survivors(judgement, used);
  }
  apply_role(judgement, rule.role, rule.aside, true);
  return judgement;
}

}  // namespace ebbtide
