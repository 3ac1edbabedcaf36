#include "analysis/causes/causes.h"

#include "analysis/causes/code_bounds.h"
#include "analysis/cool_down.h"
#include "analysis/heap/object_verdict.h"
#include "analysis/run_part.h"

namespace ebbtide {

Causes find_causes(const Recording& recording, Assessment& assessment) {
  Causes causes;
  const CoolDown cool_down = find_cool_down(recording);
  causes.heap = find_heap_growth(cool_down.taken() ? run_before(recording, cool_down.first_cycle)
                                                   : recording);
  if (cool_down.taken()) mark_given_back(recording, causes.heap);
  causes.review = review_tree(recording.source_files);
  mark_bounded(recording, causes.review, causes.heap);
  weigh_objects(causes.heap, assessment);
  weigh_bounds(recording, causes.heap, assessment);
  causes.review.unread.insert(causes.review.unread.end(), recording.unread_sources.begin(),
                              recording.unread_sources.end());
  causes.join = join_review(recording, assessment, causes.heap, causes.review);
  return causes;
}

const ReviewFinding* main_finding(const Causes& causes) {
  if (causes.join.findings.empty()) return nullptr;
  const JoinedFinding& first = causes.join.findings.front();
  return first.standing == Standing::confirmed ? &causes.review.findings[first.finding] : nullptr;
}

}  // namespace ebbtide
