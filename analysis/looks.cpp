#include "analysis/looks.h"

#include <algorithm>
#include <cmath>

#include "analysis/cool_down.h"
#include "analysis/design.h"
#include "analysis/sentence.h"

namespace ebbtide {
namespace {

constexpr double error_of_all_looks = 0.05;

// Whether some deciding evidence was measured and is only not yet sure.
bool more_would_tell(const Recording& recording, const Assessment& assessment) {
  if (assessment.verdict != Verdict::inconclusive) return false;
  if (!reservation(recording, assessment).empty()) return false;
  return std::ranges::none_of(assessment.judgements, [](const Judgement& judgement) {
    return judgement.decisive && judgement.verdict == Verdict::inconclusive &&
           judgement.points == 0;
  });
}

constexpr std::uint32_t least_cycles = 10;
constexpr double most_cycles = 1000;

// Of one judgement.
double cycles_for(const Judgement& judgement, std::uint32_t done) {
  if (!judgement.estimated) return judgement.points > 0 ? std::max(least_cycles, done) : 0;
  const double reach = std::max(judgement.interval.high - judgement.per_connection,
                                judgement.per_connection - judgement.interval.low);
  const double distance = std::abs(judgement.per_connection - judgement.limit);
  const double shrink = distance > 0 ? reach / distance : most_cycles;
  return done * std::max(2.0, shrink * shrink);
}

}  // namespace

double look_confidence(std::uint32_t planned, std::uint32_t cycles) {
  double error = error_of_all_looks / 2;
  for (std::uint64_t at = std::max(1U, planned); at < cycles; at *= 2) error /= 2;
  return 1 - error;
}

std::vector<std::uint32_t> next_doses(const Recording& recording, const Assessment& assessment,
                                      const RunBudget& budget) {
  const std::uint32_t done = assessment.cycles;
  if (done == 0 || !more_would_tell(recording, assessment)) return {};
  if (find_cool_down(recording).taken()) return {};
  const auto elapsed =
      static_cast<std::int64_t>(recording.cycles.back().end_ns - recording.cycles.front().start_ns);
  const double seconds_each = static_cast<double>(elapsed) * 1e-9 / done;
  const double seconds_left = budget.max_seconds - seconds_each * done;
  double more = std::min(done, budget.max_cycles - std::min(done, budget.max_cycles));
  if (seconds_each > 0) more = std::min(more, std::max(0.0, seconds_left) / seconds_each);
  const auto cycles = static_cast<std::uint32_t>(more);
  if (cycles == 0) return {};
  return plan_doses(done + 1, done + cycles, recording.run.plan.connections);
}

std::uint32_t cycles_to_decide(const Assessment& assessment) {
  double needed = 0;
  for (const Judgement& judgement : assessment.judgements) {
    if (!judgement.decisive || judgement.verdict != Verdict::inconclusive) continue;
    const double cycles = cycles_for(judgement, assessment.cycles);
    if (cycles == 0 || judgement.may_come_back) return 0;
    needed = std::max(needed, cycles);
  }
  return needed > most_cycles ? 0 : static_cast<std::uint32_t>(std::ceil(needed));
}

}  // namespace ebbtide
