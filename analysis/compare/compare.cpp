#include "analysis/compare/compare.h"

#include <fmt/format.h>

#include <algorithm>

#include "analysis/compare/comparison_sentence.h"
#include "analysis/compare/figures.h"
#include "analysis/endings/leak_answer.h"
#include "analysis/load/limit.h"
#include "recording/names.h"

namespace ebbtide {
namespace {

// The overall answer, and why when the figures do not say it.
struct Outcome {
  Change overall = Change::not_comparable;
  std::string why = {};
};

bool has_figure(const Comparison& comparison, std::initializer_list<Change> changes) {
  return std::ranges::any_of(comparison.figures, [&](const PairedFigure& figure) {
    return figure.decisive && std::ranges::find(changes, figure.change) != changes.end();
  });
}

bool has_measured_cause(const Comparison& comparison, std::initializer_list<Change> changes) {
  return std::ranges::any_of(comparison.causes, [&](const ComparedCause& cause) {
    return cause.evidence == ComparedCause::Evidence::heap && cause.user_code &&
           std::ranges::find(changes, cause.change) != changes.end();
  });
}

bool cleared(Verdict verdict) {
  return verdict == Verdict::no_leak || verdict == Verdict::saturating;
}

// What holds for every kind of run, before its figures are looked at.
std::optional<Outcome> outcome_of_ends(const Recording& before, const Recording& after) {
  if (is_one_run(before, after)) return Outcome{Change::same, "both files hold the same run"};
  if (target_died(after.end) && !target_died(before.end)) {
    return Outcome{Change::worse, fmt::format("the target {}; before, it outlived the run",
                                              end_of_run(after.end))};
  }
  return std::nullopt;
}

// A way to end that leaves something behind in one run and was tried in the other, where nothing
// stayed. "" when there is none.
std::string end_mended(const CloseModes& leaking, const CloseModes& clean) {
  for (const ModeOutcome& outcome : leaking.outcomes) {
    if (outcome.finding.empty()) continue;
    const auto twin = std::ranges::find(clean.outcomes, outcome.mode, &ModeOutcome::mode);
    if (twin == clean.outcomes.end() || !twin->finding.empty() || !is_measured(*twin)) continue;
    return fmt::format("when a connection {}, {}", ending_phrase(outcome.mode), outcome.finding);
  }
  return "";
}

// Among the ways to end that both tried. A leak of the main experiment hides what they add.
std::optional<Outcome> outcome_of_endings(const LeakAnswer& before, const LeakAnswer& after) {
  if (const std::string fault = end_mended(after.modes, before.modes); !fault.empty())
    return Outcome{Change::worse, fault + "; before, nothing stayed then"};
  const std::string fault = end_mended(before.modes, after.modes);
  if (fault.empty() || !cleared(after.assessment.verdict)) return std::nullopt;
  return Outcome{Change::fixed, "before, " + fault + "; now nothing stays then"};
}

// Counted objects may have made the verdict where the gauges are too coarse to tell.
Outcome outcome_of_leaks(const Comparison& comparison, Verdict before, Verdict after) {
  if (has_figure(comparison, {Change::worse})) return {Change::worse};
  const bool mended = has_measured_cause(comparison, {Change::gone, Change::fixed});
  const bool better = has_figure(comparison, {Change::better, Change::fixed});
  if (before == Verdict::leak && cleared(after)) {
    if (better || mended) return {Change::fixed};
    return {Change::not_comparable,
            "before, each connection left something behind, and after, so little would not have "
            "been seen; run both with the same doses"};
  }
  if (cleared(before) && after == Verdict::leak) {
    if (has_measured_cause(comparison, {Change::appeared, Change::worse})) return {Change::worse};
    return {Change::not_comparable,
            "what leaks after would not have been seen before; run both with the same doses"};
  }
  if (better) return {Change::better};
  if (has_figure(comparison, {Change::not_comparable})) return {Change::not_comparable};
  return {has_figure(comparison, {Change::same}) ? Change::same : Change::not_comparable};
}

Outcome outcome_of_load(const Comparison& comparison) {
  for (const Change change : {Change::worse, Change::better, Change::same}) {
    if (has_figure(comparison, {change})) return {change};
  }
  return {};
}

Outcome compare_leaks(const Recording& before, const Recording& after, Comparison& comparison) {
  const LeakAnswer first = answer_leak_run(before);
  const LeakAnswer second = answer_leak_run(after);
  comparison.figures = leak_figures(first.assessment, second.assessment);
  comparison.causes = compare_causes(first.causes, second.causes);
  comparison.before = first.assessment.sentence;
  comparison.after = second.assessment.sentence;
  Outcome outcome =
      outcome_of_leaks(comparison, first.assessment.verdict, second.assessment.verdict);
  const auto endings = outcome_of_endings(first, second);
  if (endings && outcome.overall != Change::worse && outcome.overall != Change::fixed)
    return *endings;
  return outcome;
}

Outcome compare_levels(const Recording& before, const Recording& after, Comparison& comparison) {
  const LevelsAssessment first = assess_levels(before);
  const LevelsAssessment second = assess_levels(after);
  comparison.figures = level_figures({before, first}, {after, second});
  comparison.before = first.sentence;
  comparison.after = second.sentence;
  return outcome_of_load(comparison);
}

Outcome compare_broadcasts(const Recording& before, const Recording& after,
                           Comparison& comparison) {
  const BroadcastAssessment first = assess_broadcast(before);
  const BroadcastAssessment second = assess_broadcast(after);
  comparison.figures = broadcast_figures({before, first}, {after, second});
  comparison.before = first.sentence;
  comparison.after = second.sentence;
  return outcome_of_load(comparison);
}

Outcome compare_measured(const Recording& before, const Recording& after, Comparison& comparison) {
  if (before.run.kind != after.run.kind) {
    return {Change::not_comparable,
            fmt::format("one is a {} run, the other a {} run; name two of one kind",
                        name_of(before.run.kind), name_of(after.run.kind))};
  }
  switch (after.run.kind) {
    case RunKind::connections:
      return compare_levels(before, after, comparison);
    case RunKind::broadcast:
      return compare_broadcasts(before, after, comparison);
    case RunKind::leak:
      break;
  }
  return compare_leaks(before, after, comparison);
}

}  // namespace

Comparison compare(const Recording& before, const Recording& after) {
  Comparison comparison;
  comparison.kind = after.run.kind;
  comparison.differences = run_differences(before, after);
  Outcome outcome = compare_measured(before, after, comparison);
  if (before.run.kind == after.run.kind) {
    if (const auto ends = outcome_of_ends(before, after)) outcome = *ends;
  }
  comparison.overall = outcome.overall;
  comparison.sentence = comparison_sentence(comparison, outcome.why);
  return comparison;
}

}  // namespace ebbtide
