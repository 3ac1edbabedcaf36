// Answers: did a change (a fix, another Node version) make the server better, worse, or neither?
// The one header of the comparison of two recordings; docs/method.md says by which rule.
#pragma once

#include <string>
#include <vector>

#include "analysis/compare/compared_causes.h"
#include "analysis/compare/paired_figure.h"
#include "analysis/compare/run_differences.h"
#include "analysis/verdict.h"
#include "recording/run.h"

namespace ebbtide {

struct Comparison {
  RunKind kind = RunKind::leak;
  Change overall = Change::not_comparable;  // fixed, better, same, worse or not_comparable
  std::string sentence;                     // the answer; may hold what the target controls
  std::string before;                       // what each run says by itself
  std::string after;
  std::vector<PairedFigure> figures;  // those that have a say first
  std::vector<ComparedCause> causes;  // leak runs only
  std::vector<RunDifference> differences;
};

// Recordings of different kinds are not comparable, which the sentence says.
Comparison compare(const Recording& before, const Recording& after);

}  // namespace ebbtide
