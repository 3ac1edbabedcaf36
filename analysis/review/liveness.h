// Answers: is a piece of code sure that the connection is still there? What lies between an await
// and what is done after it.
#pragma once

#include <vector>

#include "analysis/review/ast.h"
#include "analysis/review/values.h"

namespace ebbtide {

// The conditions that must hold for the node to be reached inside its function: of the ifs around
// it, and of the returns before it.
std::vector<NodeId> conditions_of(const Ast& ast, NodeId node);

// Whether a condition looks at the life of a connection: readyState, destroyed, closed, `isOpen()`,
// an AbortSignal.
bool looks_at_life(const Ast& ast, Values& values, NodeId condition);

// The last await in the node's function that is over when the node is reached; 0 when none.
NodeId await_before(const Ast& ast, NodeId node);

// Whether the node is reached after an await, or in a promise's callback, with no look at the life
// of the connection in between.
bool is_late(const Ast& ast, Values& values, NodeId node);

}  // namespace ebbtide
