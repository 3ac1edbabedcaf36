#include "analysis/heap/retainers.h"

#include <algorithm>
#include <array>
#include <limits>

#include "analysis/heap/big_pages.h"

namespace ebbtide {
namespace {

// Lengths of steps. Whoever reads a path knows variables, properties and elements; a prototype,
// V8's internals, its maps and code say less and less, and what lies on the stack at the moment of
// the look says nothing.
constexpr std::uint32_t named = 1;
constexpr std::uint32_t internal = 5;
constexpr std::uint32_t nameless = 10;
constexpr std::uint32_t prototype = 10;
constexpr std::uint32_t to_machinery = 20;  // on top
constexpr std::uint32_t from_root_group = 60;
constexpr std::uint32_t longest = from_root_group + nameless + to_machinery;

constexpr std::uint32_t far = std::numeric_limits<std::uint32_t>::max();

// Dijkstra's algorithm with a bucket for each distance (Dial): no distance that waits is further
// than the longest step from the one that is served.
class ShortestPaths {
 public:
  explicit ShortestPaths(const HeapGraph& graph)
      : graph_(graph),
        prototype_name_(static_cast<std::uint32_t>(std::ranges::find(graph.strings, "__proto__") -
                                                   graph.strings.begin())) {
    assign_in_big_pages(tree_.parent, graph.size(), no_node);
    assign_in_big_pages(tree_.edge, graph.size(), 0U);
    assign_in_big_pages(tree_.reach, graph.size(), Reach::garbage);
    reserve_in_big_pages(tree_.order, graph.size());
    assign_in_big_pages(distance_, graph.size(), far);
  }

  RetainerTree run() {
    settle(HeapGraph::root, Reach::javascript);
    begin_at_roots(Reach::javascript);
    spread(Reach::javascript);
    begin_at_roots(Reach::handles);
    spread(Reach::handles);
    return std::move(tree_);
  }

 private:
  void settle(NodeIndex node, Reach reach) {
    tree_.reach[node] = reach;
    tree_.order.push_back(node);
  }

  // The handles' turn begins further out than everything that JavaScript reaches, so that nothing
  // of it is nearer by a handle.
  void begin_at_roots(Reach reach) {
    distance_[HeapGraph::root] = served_;
    for (std::uint32_t edge = graph_.first_edge[0]; edge < graph_.first_edge[1]; ++edge) {
      const bool of_javascript = graph_.edges[edge].to == HeapGraph::javascript_roots;
      if (of_javascript == (reach == Reach::javascript))
        offer(HeapGraph::root, edge, served_ + named);
    }
  }

  void spread(Reach reach) {
    for (; waiting_ > 0; ++served_) {
      std::vector<NodeIndex>& bucket = buckets_[served_ % buckets_.size()];
      waiting_ -= bucket.size();
      for (const NodeIndex node : bucket) {
        if (distance_[node] != served_) continue;  // was reached by a shorter way
        settle(node, reach);
        leave(node);
      }
      bucket.clear();
    }
  }

  void leave(NodeIndex node) {
    const bool is_group =
        graph_.kind[node] == NodeKind::synthetic && node > HeapGraph::handle_roots;
    const std::uint32_t distance = served_ + (is_group ? from_root_group : 0);
    const std::uint32_t end = graph_.first_edge[node + 1];
    for (std::uint32_t edge = graph_.first_edge[node]; edge < end; ++edge) {
      if (distance_[graph_.edges[edge].to] > distance + named)
        offer(node, edge, distance + length(graph_.edges[edge]));
    }
  }

  [[nodiscard]] std::uint32_t length(const HeapEdge& edge) const {
    const NodeKind kind = graph_.kind[edge.to];
    const bool machinery =
        kind == NodeKind::hidden || kind == NodeKind::code || kind == NodeKind::compiled;
    return length_of_name(edge) + (machinery ? to_machinery : 0);
  }

  [[nodiscard]] std::uint32_t length_of_name(const HeapEdge& edge) const {
    switch (edge.kind()) {
      case EdgeKind::internal:
        return edge.number() == 0 ? nameless : internal;
      case EdgeKind::property:
        return edge.number() == prototype_name_ ? prototype : named;
      default:
        return named;
    }
  }

  void offer(NodeIndex from, std::uint32_t edge, std::uint32_t distance) {
    const NodeIndex to = graph_.edges[edge].to;
    if (distance >= distance_[to]) return;
    distance_[to] = distance;
    tree_.parent[to] = from;
    tree_.edge[to] = edge;
    buckets_[distance % buckets_.size()].push_back(to);
    ++waiting_;
  }

  const HeapGraph& graph_;
  const std::uint32_t prototype_name_;
  RetainerTree tree_;
  std::vector<std::uint32_t> distance_;
  std::array<std::vector<NodeIndex>, longest + 1> buckets_;
  std::size_t waiting_ = 0;   // nodes in buckets
  std::uint32_t served_ = 0;  // the distance
};

}  // namespace

RetainerTree retainers(const HeapGraph& graph) {
  if (graph.size() == 0) return {};
  return ShortestPaths(graph).run();
}

}  // namespace ebbtide
