// Answers: of which class is each object of a heap? As a person would say it: the constructor's
// name and where it stands, for a closure its function's.
#pragma once

#include <cstdint>
#include <string_view>
#include <vector>

#include "analysis/heap/graph.h"

namespace ebbtide {

using ClassIndex = std::uint32_t;
inline constexpr ClassIndex no_class = std::numeric_limits<ClassIndex>::max();

struct ObjectClass {
  std::uint32_t name = 0;  // place in the graph's strings
  NodeKind kind = NodeKind::object;
  HeapLocation location;  // line 0: not known; its node is the first of the class

  [[nodiscard]] bool located() const { return location.line != 0; }
};

struct ClassTable {
  std::vector<ObjectClass> classes;
  std::vector<ClassIndex> of;  // by node; no_class for V8's own, strings, numbers and contexts
};

bool is_context(const HeapGraph& graph, NodeIndex node);

ClassTable find_classes(const HeapGraph& graph);

}  // namespace ebbtide
