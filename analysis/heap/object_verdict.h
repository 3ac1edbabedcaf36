// Answers: does a count of objects say LEAK where the gauges could not? Objects are counted
// exactly, so that a reference kept by every connection shows long before its bytes stand out.
#pragma once

#include "analysis/heap/growth.h"
#include "analysis/verdict.h"

namespace ebbtide {

// Marks the causes of which the last look, behind the cool-down, finds less than half of what had
// been added.
void mark_given_back(const Recording& recording, HeapFindings& heap);

// The application's own code keeps an object of at least every second connection, and that has not
// slowed down. nullptr without one.
const HeapCause* kept_cause(const HeapFindings& heap);

// What makes a LEAK of it: such a cause in enough looks.
const HeapCause* leaking_cause(const HeapFindings& heap);

// Makes the verdict LEAK, and says so in its sentence, when there is such a cause. Never clears
// anybody.
void weigh_objects(const HeapFindings& heap, Assessment& assessment);

}  // namespace ebbtide
