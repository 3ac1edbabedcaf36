// Answers: under which configuration does a piece of code run at all? So that a finding can say
// "only when METRICS_URL is set".
#pragma once

#include <string>

#include "analysis/review/ast.h"
#include "analysis/review/scopes.h"

namespace ebbtide {

// "METRICS_URL is set", "LIMIT > 0", "not in DRY_RUN": of the conditions around the node, in every
// function up to its file, the innermost one that asks only for what is fixed when the program
// starts. "" when there is none.
std::string configuration_of(const Ast& ast, const Scopes& scopes, NodeId node);

}  // namespace ebbtide
