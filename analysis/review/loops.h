// Answers: through what is gone around a piece of code?
#pragma once

#include <vector>

#include "analysis/review/ast.h"

namespace ebbtide {

// The loops a node is in, up to its function, innermost first: for…of, for…in and calls of forEach.
std::vector<NodeId> loops_around(const Ast& ast, NodeId node);

// What such a loop goes through.
NodeId looped_over(const Ast& ast, NodeId loop);

}  // namespace ebbtide
