#include "analysis/heap/dominators.h"

#include <algorithm>

#include "analysis/heap/big_pages.h"

namespace ebbtide {
namespace {

// Everything but the graph is by preorder number: what is near in the search is near in memory.
class SemiNca {
 public:
  explicit SemiNca(const HeapGraph& graph) : graph_(graph) {}

  DominatorTree run() {
    search();
    list_predecessors();
    find_semidominators();
    find_dominators();
    return tree();
  }

 private:
  using Number = std::uint32_t;

  // Numbers what the root reaches, depth first; the way back is by the parents. It meets every
  // edge, so the least predecessor of those that come before a node is known at the end: of an edge
  // to a higher number nothing else is ever asked.
  void search() {
    reserve(graph_.size());
    enter(HeapGraph::root, 0);
    for (Number from = 0;;) {
      auto& next_edge = scratch_[from];
      if (next_edge == graph_.first_edge[node_[from] + 1]) {
        if (from == 0) return;
        from = dominator_[from];
        continue;
      }
      const NodeIndex to = graph_.edges[next_edge++].to;
      const Number seen = number_[to];
      if (seen == no_node)
        from = enter(to, from);
      else if (seen > from)
        semidominator_[seen] = std::min(semidominator_[seen], from);
      else if (seen < from)
        ++lower_edges_[seen];
    }
  }

  Number enter(NodeIndex node, Number from) {
    const auto number = static_cast<Number>(node_.size());
    number_[node] = number;
    node_.push_back(node);
    dominator_.push_back(from);
    semidominator_.push_back(from);
    lower_edges_.push_back(0);
    scratch_.push_back(graph_.first_edge[node]);
    return number;
  }

  void reserve(std::size_t nodes) {
    assign_in_big_pages(number_, nodes, no_node);
    reserve_in_big_pages(node_, nodes);
    reserve_in_big_pages(dominator_, nodes);
    reserve_in_big_pages(semidominator_, nodes);
    reserve_in_big_pages(lower_edges_, nodes + 1);
    reserve_in_big_pages(scratch_, nodes);
  }

  // Of each number the higher ones with an edge to it, in one array.
  void list_predecessors() {
    std::uint32_t sum = 0;
    for (std::uint32_t& count : lower_edges_) sum += count, count = sum;
    lower_edges_.push_back(sum);
    assign_in_big_pages(predecessors_, sum, Number{0});
    for (Number from = 0; from < node_.size(); ++from) {
      for (const HeapEdge& edge : graph_.edges_of(node_[from])) {
        const Number to = number_[edge.to];
        if (to < from) predecessors_[--lower_edges_[to]] = from;
      }
    }
  }

  // From the last number down; each then joins the forest, whose trees are paths up to what has
  // not.
  void find_semidominators() {
    for (auto number = static_cast<Number>(node_.size()); number-- > 1;) {
      Number least = semidominator_[number];
      for (std::uint32_t place = lower_edges_[number]; place < lower_edges_[number + 1]; ++place)
        least = std::min(least, least_above(predecessors_[place], number));
      semidominator_[number] = least;
      scratch_[number] = link(dominator_[number], least);
    }
    predecessors_ = {};
    lower_edges_ = {};
  }

  // The least semidominator from `number` up to what is not in the forest yet, which is up to
  // `highest`. The paths that were walked are shortened.
  Number least_above(Number number, Number highest) {
    while (above(number) > highest) {
      walked_.push_back(number);
      number = above(number);
    }
    while (!walked_.empty()) {
      const Number below = walked_.back();
      walked_.pop_back();
      scratch_[below] = link(above(number), std::min(least(below), least(number)));
      number = below;
    }
    return least(number);
  }

  static std::uint64_t link(Number above, Number least) {
    return std::uint64_t{above} << 32 | least;
  }
  [[nodiscard]] Number above(Number number) const {
    return static_cast<Number>(scratch_[number] >> 32);
  }
  [[nodiscard]] Number least(Number number) const { return static_cast<Number>(scratch_[number]); }

  // The nearest ancestor in the tree of dominators that is not below the semidominator.
  void find_dominators() {
    for (Number number = 1; number < node_.size(); ++number) {
      Number dominator = dominator_[number];
      while (dominator > semidominator_[number]) dominator = dominator_[dominator];
      dominator_[number] = dominator;
    }
    semidominator_ = {};
  }

  DominatorTree tree() {
    DominatorTree tree;
    tree.retained = std::move(scratch_);
    tree.retained.assign(graph_.size(), 0);
    tree.dominator = std::move(number_);
    for (Number number = static_cast<Number>(node_.size()); number-- > 0;) {
      const NodeIndex node = node_[number];
      tree.retained[node] += graph_.self_size[node];
      tree.dominator[node] = number == 0 ? no_node : node_[dominator_[number]];
      if (number > 0) tree.retained[tree.dominator[node]] += tree.retained[node];
    }
    return tree;
  }

  const HeapGraph& graph_;
  std::vector<Number> number_;  // by node; no_node: not reached
  std::vector<NodeIndex> node_;
  std::vector<Number> dominator_;  // the search's parent, until it is known
  std::vector<Number> semidominator_;
  std::vector<std::uint32_t> lower_edges_;  // where in predecessors_ those of a number begin
  std::vector<Number> predecessors_;
  // By number: in the search its next edge, then its link in the forest (what is above, and the
  // least semidominator from here to below that); its memory ends as the sizes retained.
  std::vector<std::uint64_t> scratch_;
  std::vector<Number> walked_;
};

}  // namespace

DominatorTree dominators(const HeapGraph& graph) {
  if (graph.size() == 0) return {};
  return SemiNca(graph).run();
}

}  // namespace ebbtide
