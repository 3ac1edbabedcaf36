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

bool leaks(const HeapCause& cause) {
  return cause.user_code && !cause.bounded && cause.objects_per_connection >= least_objects &&
         cause.retained_per_connection >= least_bytes;
}

}  // namespace

const HeapCause* leaking_cause(const HeapFindings& heap) {
  if (heap.looks < least_looks) return nullptr;
  const auto cause = std::ranges::find_if(heap.causes, leaks);
  return cause == heap.causes.end() ? nullptr : &*cause;
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
