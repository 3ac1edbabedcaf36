// Answers: by which references does a person reach this object? A tree of shortest paths from the
// roots, where steps that mean something in the source (variables, properties, elements) are short
// and V8's own are long.
#pragma once

#include <cstdint>
#include <vector>

#include "analysis/heap/graph.h"

namespace ebbtide {

enum class Reach : std::uint8_t { garbage, javascript, handles };

struct RetainerTree {
  std::vector<NodeIndex> parent;    // no_node for the root and for garbage
  std::vector<std::uint32_t> edge;  // by node: the place in graph.edges of the step from the parent
  std::vector<NodeIndex> order;     // reached nodes, parents before their children
  std::vector<Reach> reach;         // by node; `handles`: only C++ handles lead there
};

// Whatever JavaScript roots reach has a path from them, however short one from a handle may be.
RetainerTree retainers(const HeapGraph& graph);

}  // namespace ebbtide
