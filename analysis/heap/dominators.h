// Answers: what would go if this object went? The dominator tree of a heap and the sizes retained.
// Semi-NCA: Georgiadis, Tarjan, Werneck, "Finding Dominators in Practice" (2006).
#pragma once

#include <cstdint>
#include <vector>

#include "analysis/heap/graph.h"

namespace ebbtide {

struct DominatorTree {
  std::vector<NodeIndex> dominator;     // immediate; no_node for the root and for garbage
  std::vector<std::uint64_t> retained;  // bytes, the node's own included; 0 for garbage
};

DominatorTree dominators(const HeapGraph& graph);

}  // namespace ebbtide
