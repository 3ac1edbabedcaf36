// Answers: which kinds of resource outlive their connections in this run, and what in a source
// takes such a resource?
#pragma once

#include <string>
#include <vector>

#include "analysis/review/review.h"
#include "analysis/verdict.h"
#include "recording/run.h"

namespace ebbtide {

struct SurvivingKind {
  std::vector<ReviewResource> resources;  // that would explain it
  std::string sentence;                   // "1.00 outgoing sockets per connection survive"
};

std::vector<SurvivingKind> surviving_kinds(const Recording& recording,
                                           const Assessment& assessment);

}  // namespace ebbtide
