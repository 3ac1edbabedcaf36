#include "analysis/heap/object_verdict.h"

#include <fmt/format.h>

#include <algorithm>

#include "analysis/format.h"

namespace ebbtide {
namespace {

// Three steps at least, the first of them being the warm-up.
constexpr std::uint32_t least_looks = 4;

// Below one object of every second connection it may be a pool that follows the load.
constexpr double least_objects = 0.5;

// A counter or a flag per connection is rather a history than a leak.
constexpr double least_bytes = 64;

bool is_kept(const HeapCause& cause) {
  return cause.user_code && !cause.bounded && cause.objects_per_connection >= least_objects &&
         cause.retained_per_connection >= least_bytes;
}

// What the path led to at one look; entries where the cause counts them.
std::uint64_t level_at(const Recording& recording, const HeapCause& cause, std::uint32_t cycle) {
  std::uint64_t objects = 0;
  std::uint64_t entries = 0;
  for (const HeapPathLevel& level : recording.heap_path_levels) {
    if (level.cycle != cycle || level.path_id != cause.path_id) continue;
    objects += level.objects;
    entries += level.entries;
  }
  return cause.by_entries ? entries : objects;
}

}  // namespace

void mark_given_back(const Recording& recording, HeapFindings& heap) {
  std::uint32_t last = 0;
  for (const HeapCensus& census : recording.heap_censuses) last = std::max(last, census.cycle);
  for (HeapCause& cause : heap.causes) {
    if (cause.levels.empty()) continue;
    const std::uint64_t added =
        cause.levels.back() - std::min(cause.levels.front(), cause.levels.back());
    const std::uint64_t left = level_at(recording, cause, last);
    cause.given_back = left < cause.levels.front() + (added + 1) / 2;
    cause.bounded = cause.bounded || cause.given_back;
  }
}

const HeapCause* kept_cause(const HeapFindings& heap) {
  const auto cause = std::ranges::find_if(heap.causes, is_kept);
  return cause == heap.causes.end() ? nullptr : &*cause;
}

const HeapCause* leaking_cause(const HeapFindings& heap) {
  return heap.looks < least_looks ? nullptr : kept_cause(heap);
}

void weigh_objects(const HeapFindings& heap, Assessment& assessment) {
  const HeapCause* cause = leaking_cause(heap);
  if (assessment.verdict == Verdict::leak || cause == nullptr) return;
  assessment.verdict = Verdict::leak;
  assessment.sentence = fmt::format(
      "{}: each connection leaves {} {} behind, {} retained by it ({} into the heap, {}; too "
      "little "
      "for the gauges to tell).",
      verdict_title(Verdict::leak), count_text(cause->objects_per_connection), cause->content,
      bytes_text(cause->retained_per_connection), counted(heap.looks, "look"),
      counted(assessment.connections, "connection"));
}

}  // namespace ebbtide
