// Answers: is what grows a cache that the source keeps below a size, and that was not full yet? The
// run cannot tell it from a leak until it is full; the code can.
#pragma once

#include "analysis/heap/growth.h"
#include "analysis/review/review.h"
#include "analysis/verdict.h"
#include "recording/run.h"

namespace ebbtide {

// Marks the causes that the source bounds.
void mark_bounded(const Recording& recording, const Review& review, HeapFindings& heap);

// A LEAK of the JavaScript heap alone, or what might be one, becomes SATURATING when such causes
// account for it.
void weigh_bounds(const Recording& recording, const HeapFindings& heap, Assessment& assessment);

}  // namespace ebbtide
