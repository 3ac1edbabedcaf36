// Answers: which findings does the source itself ask not to be told? `// ebbtide-ignore LC001
// reason` on the line of the finding, or alone on the line before it.
#pragma once

#include "analysis/review/ast.h"
#include "analysis/review/review.h"

namespace ebbtide {

// Moves them from `findings` to `suppressed`; what is suppressed stays visible there.
void suppress_marked(const Ast& ast, Review& review);

}  // namespace ebbtide
