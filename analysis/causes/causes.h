// Answers: what in the server keeps what its connections took? The measured heap, the reviewed
// source, and what the two say together.
#pragma once

#include "analysis/causes/review_join.h"
#include "analysis/heap/growth.h"
#include "analysis/review/review.h"
#include "analysis/verdict.h"
#include "recording/run.h"

namespace ebbtide {

struct Causes {
  HeapFindings heap;
  Review review;  // `files` is 0 when the recording holds no source
  ReviewJoin join;
};

// Objects are counted exactly, so that they may change the verdict (object_verdict.h).
Causes find_causes(const Recording& recording, Assessment& assessment);

// The finding to mend first beside a LEAK: the one that the run confirmed with the most retained;
// nullptr without one.
const ReviewFinding* main_finding(const Causes& causes);

}  // namespace ebbtide
