#include "analysis/heap/path_assignment.h"

#include <algorithm>
#include <utility>

namespace ebbtide {
namespace {

constexpr int rebuilds_at_most = 8;
constexpr int dominators_compared = 6;
constexpr std::size_t many_properties = 8;  // fewer make no table

class PathAssigner {
 public:
  PathAssigner(const HeapGraph& graph, const RetainerTree& retainers, const ClassTable& classes,
               const ContextScopes& scopes, PathTree tree)
      : graph_(graph),
        retainers_(retainers),
        classes_(classes),
        scopes_(scopes),
        paths_{std::move(tree), {}} {
    paths_.of.assign(graph.size(), PathTree::javascript);
    global_name_ = place_of("globalThis");
    previous_timer_ = place_of("_idlePrev");
    next_timer_ = place_of("_idleNext");
  }

  HeapPaths run() {
    for (const NodeIndex node : retainers_.order) {
      if (node != HeapGraph::root) paths_.of[node] = path_of(node, retainers_.parent[node]);
    }
    std::vector<PathIndex> moved;
    for (int i = 0; i < rebuilds_at_most && paths_.tree.is_stale(); ++i) {
      paths_.tree = paths_.tree.rebuilt(moved);
      for (PathIndex& path : paths_.of) path = moved[path];
    }
    return std::move(paths_);
  }

 private:
  [[nodiscard]] std::uint32_t place_of(std::string_view name) const {
    const auto found = std::ranges::find(graph_.strings, name);
    return static_cast<std::uint32_t>(found - graph_.strings.begin());
  }

  // Node's lists of timers are reached from both ends, half by half.
  [[nodiscard]] std::uint32_t one_way(std::uint32_t name) const {
    return name == previous_timer_ ? next_timer_ : name;
  }

  PathIndex path_of(NodeIndex node, NodeIndex parent) {
    const NodeKind kind = graph_.kind[node];
    if (kind == NodeKind::synthetic) {
      return retainers_.reach[node] == Reach::handles ? PathTree::handles : PathTree::javascript;
    }
    const PathIndex above = paths_.of[parent];
    if (kind != NodeKind::object && kind != NodeKind::closure) return above;
    if (is_context(graph_, node)) return paths_.tree.context(above, scopes_.of(node));
    if (classes_.of[node] == no_class) return above;
    if (is_global_object(node, parent)) return paths_.tree.global_object();
    const HeapEdge& edge = graph_.edges[retainers_.edge[node]];
    const std::uint64_t what = std::uint64_t{edge.kind() == EdgeKind::element ? 0 : edge.number()}
                                   << 32 |
                               classes_.of[node];
    // Most objects are one of many that are kept alike.
    const std::uint64_t where = std::uint64_t{above} << 8 |
                                static_cast<std::uint64_t>(graph_.kind[parent]) << 4 |
                                static_cast<std::uint64_t>(edge.kind());
    if (what == last_what_ && where == last_where_) return last_path_;
    last_what_ = what;
    last_where_ = where;
    last_path_ = step_below(above, parent, edge, classes_.of[node]);
    return last_path_;
  }

  PathIndex step_below(PathIndex above, NodeIndex parent, const HeapEdge& edge,
                       ClassIndex class_index) {
    PathStep step = PathStep::internal;
    std::uint32_t name = edge.kind() == EdgeKind::element ? 0 : one_way(edge.number());
    switch (graph_.kind[parent]) {
      case NodeKind::array:
        // A table or backing store: its owner holds the object.
        step = above <= PathTree::handles ? PathStep::internal : PathStep::element;
        name = 0;
        break;
      case NodeKind::object:
      case NodeKind::closure:
        step = step_of(edge, paths_.tree.nodes()[above].role);
        if (step == PathStep::element) name = 0;
        break;
      default:
        name = 0;
    }
    return paths_.tree.child(above, step, name, class_index);
  }

  static PathStep step_of(const HeapEdge& edge, PathNode::Role owner) {
    switch (edge.kind()) {
      case EdgeKind::context:
        return PathStep::variable;
      case EdgeKind::property:
        return owner == PathNode::Role::global_object ? PathStep::global : PathStep::property;
      case EdgeKind::element:
        return PathStep::element;
      case EdgeKind::internal:
        break;
    }
    return PathStep::internal;
  }

  // Only roots and native contexts lead to it; no other object has a property of that name.
  [[nodiscard]] bool is_global_object(NodeIndex node, NodeIndex parent) const {
    if (classes_.of[parent] != no_class || graph_.kind[node] != NodeKind::object) return false;
    if (paths_.of[parent] != PathTree::javascript) return false;
    return std::ranges::any_of(graph_.edges_of(node), [&](const HeapEdge& edge) {
      return edge.kind() == EdgeKind::property && edge.number() == global_name_;
    });
  }

  const HeapGraph& graph_;
  const RetainerTree& retainers_;
  const ClassTable& classes_;
  const ContextScopes& scopes_;
  HeapPaths paths_;
  std::uint32_t global_name_ = 0;
  std::uint32_t previous_timer_ = 0;
  std::uint32_t next_timer_ = 0;
  std::uint64_t last_what_ = ~std::uint64_t{0};
  std::uint64_t last_where_ = ~std::uint64_t{0};
  PathIndex last_path_ = 0;
};

// By path: whether it, or one above it, may be on its own way.
std::vector<bool> recurring(const PathTree& tree) {
  std::vector<bool> recurs(tree.nodes().size());
  for (PathIndex i = 0; i < recurs.size(); ++i) {
    const PathNode& node = tree.nodes()[i];
    recurs[i] = node.recurs || (node.parent != i && recurs[node.parent]);
  }
  return recurs;
}

// Whether a path's objects are counted by this node: it is no part of another object.
bool is_own(const PathNode& path, ClassIndex class_index, NodeKind kind) {
  return class_index != no_class && kind != NodeKind::native && path.class_index == class_index;
}

// Keys of an object that serves as a table, where the reader could not tell.
std::uint32_t data_names(const HeapGraph& graph, NodeIndex node, std::vector<std::uint8_t>& known) {
  const auto edges = graph.edges_of(node);
  if (edges.size() < many_properties) return 0;
  std::uint32_t count = 0;
  for (const HeapEdge& edge : edges) {
    if (edge.kind() != EdgeKind::property) continue;
    std::uint8_t& is_data = known[edge.number()];
    if (is_data == 0) is_data = looks_like_data(graph.strings[edge.number()]) ? 2 : 1;
    if (is_data == 2) ++count;
  }
  return count;
}

}  // namespace

HeapPaths assign_paths(const HeapGraph& graph, const RetainerTree& retainers,
                       const ClassTable& classes, const ContextScopes& scopes, PathTree tree) {
  return PathAssigner(graph, retainers, classes, scopes, std::move(tree)).run();
}

std::vector<PathSums> sum_paths(const HeapGraph& graph, const RetainerTree& retainers,
                                const DominatorTree& dominators, const ClassTable& classes,
                                const HeapPaths& paths) {
  const std::vector<bool> recurs = recurring(paths.tree);
  std::vector<PathSums> sums(paths.tree.nodes().size());
  std::vector<std::uint8_t> name_is_data(graph.strings.size(), 0);
  const auto dominated_by_its_like = [&](NodeIndex node, PathIndex path) {
    int compared = 0;
    for (NodeIndex above = dominators.dominator[node];
         above != no_node && above != HeapGraph::root && compared < dominators_compared;
         above = dominators.dominator[above]) {
      if (classes.of[above] == no_class) continue;
      if (paths.of[above] == path) return true;
      ++compared;
    }
    return false;
  };
  auto container = graph.containers.begin();
  for (NodeIndex node = 0; node < graph.size(); ++node) {
    while (container != graph.containers.end() && container->node < node) ++container;
    if (retainers.reach[node] == Reach::garbage) continue;
    const PathIndex path = paths.of[node];
    PathSums& sum = sums[path];
    if (graph.kind[node] != NodeKind::native) sum.bytes += graph.self_size[node];
    if (!is_own(paths.tree.nodes()[path], classes.of[node], graph.kind[node])) continue;
    ++sum.objects;
    if (!recurs[path] || !dominated_by_its_like(node, path)) {
      sum.retained_bytes += dominators.retained[node];
    }
    if (container != graph.containers.end() && container->node == node) {
      sum.entries += container->entries;
    } else if (graph.kind[node] == NodeKind::object) {
      sum.entries += data_names(graph, node, name_is_data);
    }
  }
  return sums;
}

}  // namespace ebbtide
