// Answers: on which retainer path is each object of a heap, and how much does each path lead to?
#pragma once

#include <cstdint>
#include <vector>

#include "analysis/heap/dominators.h"
#include "analysis/heap/path_tree.h"
#include "analysis/heap/retainers.h"

namespace ebbtide {

struct HeapPaths {
  PathTree tree;
  std::vector<PathIndex> of;  // by node; V8's own, strings and numbers are on their owner's path
};

// `tree` holds the roots alone.
HeapPaths assign_paths(const HeapGraph& graph, const RetainerTree& retainers,
                       const ClassTable& classes, const ContextScopes& scopes, PathTree tree);

struct PathSums {
  std::uint64_t objects = 0;
  std::uint64_t bytes = 0;
  std::uint64_t retained_bytes = 0;
  std::uint64_t entries = 0;
};

// By path of the tree. What is dominated by an object of the same path is not retained twice.
std::vector<PathSums> sum_paths(const HeapGraph& graph, const RetainerTree& retainers,
                                const DominatorTree& dominators, const ClassTable& classes,
                                const HeapPaths& paths);

}  // namespace ebbtide
