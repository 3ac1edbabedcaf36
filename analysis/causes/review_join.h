// Answers: do the source and the run name the same fault? What the review found is confirmed by
// what was measured, or left standing with what the run could not show.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "analysis/heap/growth.h"
#include "analysis/review/review.h"
#include "analysis/verdict.h"
#include "recording/run.h"

namespace ebbtide {

// How much stands behind a finding, the most first.
enum class Standing : std::uint8_t {
  confirmed,  // the run measured what it predicts
  likely,     // the source alone says so, and the run did not put it to the test
  possible,   // not on every path, or the run went through it and measured nothing
};

std::string_view standing_name(Standing standing);  // "confirmed"

struct JoinedFinding {
  std::size_t finding = 0;  // index into Review::findings
  Standing standing = Standing::possible;
  std::string because;                 // one sentence part; may hold text that the target controls
  std::vector<std::size_t> causes;     // into HeapFindings::causes: those it explains
  double retained_per_connection = 0;  // bytes, by those causes
};

struct ReviewJoin {
  std::vector<JoinedFinding> findings;   // every finding of the review, what to mend first first
  std::vector<std::size_t> unexplained;  // of HeapFindings::causes: measured, growing, not found
};

// Four keys, the strongest first: the place and name of the variable or field on a retainer path;
// the place of a closure that is kept; the name alone where the place is lost; the kind of resource
// that survives, when a single finding can explain it.
ReviewJoin join_review(const Recording& recording, const Assessment& assessment,
                       const HeapFindings& heap, const Review& review);

}  // namespace ebbtide
