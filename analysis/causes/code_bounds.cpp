#include "analysis/causes/code_bounds.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>

#include "analysis/causes/owner_match.h"
#include "analysis/causes/script_files.h"
#include "analysis/format.h"
#include "analysis/sentence.h"

namespace ebbtide {
namespace {

constexpr double accounted_share = 0.7;

bool is_of_heap(const Judgement& judgement) {
  constexpr std::array heap = {GaugeKind::heap_used, GaugeKind::heap_live, GaugeKind::external,
                               GaugeKind::heap_live_external, GaugeKind::array_buffers};
  return judgement.evidence == Judgement::Evidence::gauge &&
         std::ranges::find(heap, judgement.gauge) != heap.end();
}

// Says LEAK, or is not sure that it is none.
bool accuses(const Judgement& judgement) {
  return judgement.decisive && judgement.estimated &&
         (judgement.verdict == Verdict::leak || judgement.verdict == Verdict::inconclusive);
}

// Whether nothing but what the caches hold may have grown.
bool explained(const Judgement& judgement, double accounted) {
  if (accounted < accounted_share * judgement.per_connection) return false;
  if (judgement.verdict == Verdict::leak) return true;
  const double unexplained = judgement.interval.high - accounted;
  return unexplained < std::max(judgement.limit, (1 - accounted_share) * judgement.interval.high);
}

}  // namespace

void mark_bounded(const Recording& recording, const Review& review, HeapFindings& heap) {
  const ScriptFiles scripts(recording.source_files);
  const OwnerMatch owners(recording, scripts);
  for (HeapCause& cause : heap.causes) {
    for (const SizeBound& bound : review.bounds) {
      if (owners.match(cause, bound.owner).first == Match::none) continue;
      cause.bounded = true;
      cause.bounded_by =
          fmt::format("{}:{} {}", bound.at.path, bound.at.range.line, bound.condition);
      break;
    }
  }
}

void weigh_bounds(const Recording& recording, const HeapFindings& heap, Assessment& assessment) {
  const bool open =
      assessment.verdict == Verdict::leak || assessment.verdict == Verdict::inconclusive;
  if (!open || !reservation(recording, assessment).empty()) return;
  double accounted = 0;
  const HeapCause* largest = nullptr;
  for (const HeapCause& cause : heap.causes) {
    if (!cause.bounded && cause.user_code) return;
    if (cause.bounded_by.empty()) continue;
    accounted += cause.retained_per_connection;
    if (largest == nullptr) largest = &cause;
  }
  bool accused = false;
  for (const Judgement& judgement : assessment.judgements) {
    const bool blind =
        judgement.decisive && judgement.verdict == Verdict::inconclusive && !judgement.estimated;
    if (blind) return;
    if (!accuses(judgement)) continue;
    if (!is_of_heap(judgement) || !explained(judgement, accounted)) return;
    accused = true;
  }
  if (largest == nullptr || !accused) return;
  for (Judgement& judgement : assessment.judgements) {
    if (!accuses(judgement)) continue;
    judgement.verdict = Verdict::saturating;
    judgement.reason += "; the source keeps what grows below a size";
  }
  assessment.verdict = Verdict::saturating;
  assessment.sentence = fmt::format(
      "{}: each connection still adds {} to {}, which the source keeps below a size ({}): a cache "
      "that {} did not fill, no leak.",
      verdict_title(Verdict::saturating), bytes_text(largest->retained_per_connection),
      largest->path, largest->bounded_by, counted(assessment.connections, "connection"));
}

}  // namespace ebbtide
