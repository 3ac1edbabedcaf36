// Answers: which objects of a heap are kept in the same way? A tree of retainer paths as a person
// would tell them apart: by the names of variables and properties and by classes, without indices
// and keys that are data, without V8's own objects, and with a list's or a tree's repeating steps
// as one.
#pragma once

#include <cstdint>
#include <string_view>
#include <unordered_map>
#include <unordered_set>
#include <vector>

#include "analysis/heap/heap_classes.h"
#include "analysis/heap/heap_scopes.h"
#include "recording/run.h"

namespace ebbtide {

using PathIndex = std::uint32_t;

// A step below its parent. Places of contexts and of the global object are in the tree so that what
// they hold is told apart, and are passed over when a path is told.
struct PathNode {
  enum class Role : std::uint8_t { told, context, global_object };

  PathIndex parent = 0;
  PathStep step = PathStep::root;
  Role role = Role::told;
  std::uint32_t edge = 0;  // place in the graph's strings; 0: none
  ClassIndex class_index = no_class;
  ScopeIndex scope = 0;  // of a context
  std::uint16_t depth = 0;
  bool recurs = false;   // an object of it may be below another: a list, a tree
  std::uint64_t id = 0;  // the same in every look
};

// Places where many names lead to objects of one class, so that the names are data; by the ids of
// the place and the class. Kept from look to look, for paths to stay the same.
using DataPlaces = std::unordered_set<std::uint64_t>;

class PathTree {
 public:
  static constexpr PathIndex javascript = 0;  // what JavaScript roots lead to
  static constexpr PathIndex handles = 1;     // what only C++ handles do

  PathTree(const HeapGraph& graph, const ClassTable& classes, const ContextScopes& scopes,
           std::string_view isolate, DataPlaces& data_places);

  // The step below `parent`; an earlier step of `parent`'s path when it repeats that one.
  PathIndex child(PathIndex parent, PathStep step, std::uint32_t edge, ClassIndex class_index);
  PathIndex context(PathIndex parent, ScopeIndex scope);
  PathIndex global_object();

  [[nodiscard]] const std::vector<PathNode>& nodes() const { return nodes_; }

  // Whether names were found to be data after paths with them had been made.
  [[nodiscard]] bool is_stale() const { return stale_; }

  // The same paths with those names left out; `moved` gets each path's new place.
  [[nodiscard]] PathTree rebuilt(std::vector<PathIndex>& moved) const;

 private:
  struct Key {
    std::uint64_t parent_and_step;
    std::uint64_t edge_and_class;
    bool operator==(const Key&) const = default;
  };
  struct KeyHash {
    std::size_t operator()(const Key& key) const;
  };

  PathIndex find_or_make(const PathNode& wanted);
  PathIndex repeated(PathIndex parent, const PathNode& wanted);
  bool is_data(PathIndex parent, std::uint32_t edge, ClassIndex class_index);
  void count_name(PathIndex parent, ClassIndex class_index);
  std::uint64_t class_id(ClassIndex index);
  std::uint64_t scope_id(ScopeIndex index) const;

  const HeapGraph* graph_;
  const ClassTable* classes_;
  const ContextScopes* scopes_;
  std::string_view isolate_;
  DataPlaces* data_places_;
  std::vector<PathNode> nodes_;
  std::unordered_map<Key, PathIndex, KeyHash> children_;
  std::unordered_map<std::uint64_t, std::uint32_t> names_below_;  // by place and class
  std::vector<std::uint64_t> class_ids_;                          // 0: not yet made
  std::vector<std::uint8_t> name_is_data_;                        // by string; 0: not yet asked
  bool stale_ = false;
};

// Whether a property's name is rather a key: a number, an address, a UUID, "session-42".
bool looks_like_data(std::string_view name);

}  // namespace ebbtide
