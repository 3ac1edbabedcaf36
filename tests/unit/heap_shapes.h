// Answers: how does a test write down a heap? As references between numbered nodes.
#pragma once

#include <string>
#include <vector>

#include "analysis/heap/graph.h"

namespace ebbtide {

struct Reference {
  NodeIndex from = 0;
  NodeIndex to = 0;
  EdgeKind kind = EdgeKind::element;
  std::string name = {};
};

// Objects of one byte each; node 0 is the root.
HeapGraph graph_of(NodeIndex nodes, const std::vector<Reference>& references);

// Of `length` elements, the last nodes of the graph, reached by their head from
// `javascript_roots`.
HeapGraph doubly_linked_list(NodeIndex length);

}  // namespace ebbtide
