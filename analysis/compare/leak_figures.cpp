#include <algorithm>
#include <cmath>

#include "analysis/compare/figures.h"

namespace ebbtide {
namespace {

// A leak measured twice differs by a few per cent of itself: a twentieth is no mending.
constexpr double own_share = 0.05;

using Pair = std::pair<const Judgement*, const Judgement*>;

bool same_subject(const Judgement& left, const Judgement& right) {
  return left.evidence == right.evidence && left.gauge == right.gauge &&
         left.resource == right.resource && left.subject == right.subject;
}

// Every judgement of either run with its counterpart; the order of the later run first.
std::vector<Pair> pairs_of(const Assessment& before, const Assessment& after) {
  const auto counterpart = [](const Assessment& assessment, const Judgement& judgement) {
    const auto found = std::ranges::find_if(assessment.judgements, [&](const Judgement& candidate) {
      return same_subject(candidate, judgement);
    });
    return found == assessment.judgements.end() ? nullptr : &*found;
  };
  std::vector<Pair> pairs;
  for (const Judgement& judgement : after.judgements) {
    pairs.emplace_back(counterpart(before, judgement), &judgement);
  }
  for (const Judgement& judgement : before.judgements) {
    if (counterpart(after, judgement) == nullptr) pairs.emplace_back(&judgement, nullptr);
  }
  return pairs;
}

std::optional<Estimate> estimate_of(const Judgement* judgement) {
  if (judgement == nullptr || !judgement->estimated) return std::nullopt;
  return Estimate{judgement->per_connection, judgement->interval};
}

std::string noun_of(const Judgement& judgement) {
  const bool heap =
      judgement.gauge == GaugeKind::heap_used || judgement.gauge == GaugeKind::heap_live;
  const bool gauge = judgement.evidence == Judgement::Evidence::gauge;
  return gauge && heap ? "V8 heap" : judgement.subject;
}

bool leaks(const Judgement* judgement) {
  return judgement != nullptr && judgement->verdict == Verdict::leak;
}

bool cleared(const Judgement* judgement) {
  return judgement != nullptr &&
         (judgement->verdict == Verdict::no_leak || judgement->verdict == Verdict::saturating);
}

// What the verdicts on the two runs make of the difference.
void apply_verdicts(PairedFigure& figure, const Pair& pair) {
  const auto& [before, after] = pair;
  if (!figure.difference) return;
  if (cleared(before) && cleared(after)) {
    figure.change = Change::same;
    const bool stopped =
        before->verdict == Verdict::saturating || after->verdict == Verdict::saturating;
    figure.reason =
        stopped ? "leaks in neither run; grew for a while, then stopped" : "leaks in neither run";
  } else if (figure.change == Change::better && leaks(before) && cleared(after)) {
    figure.change = Change::fixed;
  } else if (leaks(before) && leaks(after) && figure.reason.empty()) {
    figure.reason = "leaks in both runs";
  }
}

PairedFigure figure_of(const Pair& pair) {
  const auto& [before, after] = pair;
  const Judgement& judgement = after != nullptr ? *after : *before;
  PairedFigure figure;
  const bool survivors = judgement.evidence == Judgement::Evidence::survivors;
  figure.subject = survivors ? "surviving " + judgement.subject : judgement.subject;
  figure.noun = noun_of(judgement);
  figure.measure = judgement.unit == Unit::bytes ? Measure::bytes : Measure::count;
  figure.decisive =
      (before != nullptr && before->decisive) || (after != nullptr && after->decisive);
  figure.before = estimate_of(before);
  figure.after = estimate_of(after);
  for (const Judgement* each : {before, after}) {
    if (each == nullptr) continue;
    figure.margin =
        std::max({figure.margin, each->limit, own_share * std::abs(each->per_connection)});
    if (!each->estimated) {
      figure.reason = std::string(each == before ? "before: " : "after: ") + each->reason;
    }
  }
  weigh(figure);
  apply_verdicts(figure, pair);
  return figure;
}

}  // namespace

std::vector<PairedFigure> leak_figures(const Assessment& before, const Assessment& after) {
  std::vector<PairedFigure> figures;
  for (const Pair& pair : pairs_of(before, after)) figures.push_back(figure_of(pair));
  const auto rank = [](const PairedFigure& figure) {
    return (figure.decisive ? 2 : 0) + (figure.change == Change::same ? 0 : 1);
  };
  std::ranges::stable_sort(figures, std::ranges::greater(), rank);
  return figures;
}

}  // namespace ebbtide
