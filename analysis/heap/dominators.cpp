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

  // Numbers what the root reaches, depth first. On the way it meets every edge, so the least
  // predecessor of those that come before a node is known at the end: of an edge to a higher number
  // nothing else is ever asked.
  void search() {
    struct Step {
      Number from;
      std::uint32_t edge;
      std::uint32_t end;
    };
    assign_in_big_pages(number_, graph_.size(), no_node);
    reserve(graph_.size());
    std::vector<Step> path;
    const auto enter = [&](NodeIndex node, Number from) {
      const auto number = static_cast<Number>(node_.size());
      number_[node] = number;
      node_.push_back(node);
      dominator_.push_back(from);
      semidominator_.push_back(from);
      lower_edges_.push_back(0);
      const std::uint32_t begin = graph_.first_edge[node];
      const std::uint32_t end = graph_.first_edge[node + 1];
      if (begin < end) path.push_back({number, begin, end});
    };
    enter(HeapGraph::root, 0);
    while (!path.empty()) {
      Step& step = path.back();
      if (step.edge == step.end) {
        path.pop_back();
        continue;
      }
      const NodeIndex to = graph_.edges[step.edge++].to;
      const Number seen = number_[to];
      if (seen == no_node)
        enter(to, step.from);
      else if (seen > step.from)
        semidominator_[seen] = std::min(semidominator_[seen], step.from);
      else
        ++lower_edges_[seen];
    }
  }

  void reserve(std::size_t nodes) {
    reserve_in_big_pages(node_, nodes);
    reserve_in_big_pages(dominator_, nodes);
    reserve_in_big_pages(semidominator_, nodes);
    reserve_in_big_pages(lower_edges_, nodes + 1);
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
        if (to <= from) predecessors_[--lower_edges_[to]] = from;
      }
    }
  }

  void find_semidominators() {
    assign_in_big_pages(forest_, node_.size(), Tree{});
    for (auto number = static_cast<Number>(node_.size()); number-- > 1;) {
      Number least = semidominator_[number];
      for (std::uint32_t place = lower_edges_[number]; place < lower_edges_[number + 1]; ++place)
        if (predecessors_[place] != number)
          least = std::min(least, least_above(predecessors_[place], number));
      semidominator_[number] = least;
      forest_[number] = {dominator_[number], least};
    }
    predecessors_ = {};
    lower_edges_ = {};
    forest_ = {};
  }

  // The least semidominator from `number` up to what is not in the forest yet, which is up to
  // `highest`. Paths that were gone are shortened.
  Number least_above(Number number, Number highest) {
    while (forest_[number].above > highest) {
      walked_.push_back(number);
      number = forest_[number].above;
    }
    while (!walked_.empty()) {
      Tree& below = forest_[walked_.back()];
      const Tree& above = forest_[number];
      below = {above.above, std::min(below.least, above.least)};
      number = walked_.back();
      walked_.pop_back();
    }
    return forest_[number].least;
  }

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
    assign_in_big_pages(tree.retained, graph_.size(), std::uint64_t{0});
    tree.dominator = std::move(number_);
    for (Number number = static_cast<Number>(node_.size()); number-- > 0;) {
      const NodeIndex node = node_[number];
      tree.retained[node] += graph_.self_size[node];
      tree.dominator[node] = number == 0 ? no_node : node_[dominator_[number]];
      if (number > 0) tree.retained[tree.dominator[node]] += tree.retained[node];
    }
    return tree;
  }

  struct Tree {
    Number above = 0;
    Number least = 0;  // semidominator from here to below `above`
  };

  const HeapGraph& graph_;
  std::vector<Number> number_;  // by node; no_node: not reached
  std::vector<NodeIndex> node_;
  std::vector<Number> dominator_;  // the search's parent, until it is known
  std::vector<Number> semidominator_;
  std::vector<std::uint32_t> lower_edges_;  // where in predecessors_ those of a number begin
  std::vector<Number> predecessors_;
  std::vector<Tree> forest_;
  std::vector<Number> walked_;
};

}  // namespace

DominatorTree dominators(const HeapGraph& graph) {
  if (graph.size() == 0) return {};
  return SemiNca(graph).run();
}

}  // namespace ebbtide
