#include <gtest/gtest.h>

#include <algorithm>
#include <numeric>
#include <random>

#include "analysis/heap/dominators.h"
#include "tests/unit/heap_shapes.h"

namespace {

using namespace ebbtide;

std::vector<bool> reached_without(const HeapGraph& graph, NodeIndex removed) {
  std::vector<bool> reached(graph.size());
  if (removed == HeapGraph::root) return reached;
  std::vector<NodeIndex> waiting = {HeapGraph::root};
  reached[HeapGraph::root] = true;
  while (!waiting.empty()) {
    const NodeIndex node = waiting.back();
    waiting.pop_back();
    for (const HeapEdge& edge : graph.edges_of(node)) {
      if (edge.to == removed || reached[edge.to]) continue;
      reached[edge.to] = true;
      waiting.push_back(edge.to);
    }
  }
  return reached;
}

// By the definition: a node's dominators are those without which nothing reaches it; the immediate
// one is dominated by all the others. What a node retains is what goes with it.
DominatorTree naive_dominators(const HeapGraph& graph) {
  DominatorTree tree{.dominator = std::vector<NodeIndex>(graph.size(), no_node),
                     .retained = std::vector<std::uint64_t>(graph.size(), 0)};
  const std::vector<bool> alive = reached_without(graph, no_node);
  std::vector<std::size_t> dominated(graph.size());
  std::vector<std::vector<bool>> left;
  for (NodeIndex node = 0; node < graph.size(); ++node) {
    left.push_back(reached_without(graph, node));
    for (NodeIndex other = 0; other < graph.size(); ++other) {
      if (!alive[node] || !alive[other] || left[node][other]) continue;
      ++dominated[node];
      tree.retained[node] += graph.self_size[other];
    }
  }
  for (NodeIndex node = 0; node < graph.size(); ++node) {
    for (NodeIndex other = 0; other < graph.size(); ++other) {
      if (other == node || !alive[node] || left[other][node]) continue;
      NodeIndex& nearest = tree.dominator[node];
      if (nearest == no_node || dominated[other] < dominated[nearest]) nearest = other;
    }
  }
  return tree;
}

TEST(Dominators, AreThoseOfTheDefinitionOnRandomGraphs) {
  std::mt19937 random(20240611);
  for (int round = 0; round < 4000; ++round) {
    const auto nodes = static_cast<NodeIndex>(2 + random() % 24);
    std::vector<Reference> references;
    for (auto count = random() % (3 * nodes); count > 0; --count)
      references.push_back({.from = static_cast<NodeIndex>(random() % nodes),
                            .to = static_cast<NodeIndex>(random() % nodes)});
    HeapGraph graph = graph_of(nodes, references);
    for (std::uint32_t& size : graph.self_size) size = random() % 100;
    const DominatorTree found = dominators(graph);
    const DominatorTree expected = naive_dominators(graph);
    ASSERT_EQ(found.dominator, expected.dominator) << "round " << round;
    ASSERT_EQ(found.retained, expected.retained) << "round " << round;
  }
}

TEST(Dominators, OfALongListAreItsLinks) {
  const HeapGraph graph = doubly_linked_list(1'000'000);
  const DominatorTree tree = dominators(graph);
  const NodeIndex head = graph.size() - 1'000'000;
  for (NodeIndex node = head + 1; node < graph.size(); ++node)
    ASSERT_EQ(tree.dominator[node], node - 1);
  EXPECT_EQ(tree.retained[head], 1'000'000u);
}

TEST(Dominators, OfARingEnteredAnywhereAreItsOwner) {
  constexpr NodeIndex members = 200'000;
  std::vector<Reference> references;
  for (NodeIndex member = 1; member <= members; ++member) {
    references.push_back({.from = 0, .to = member});
    references.push_back({.from = member, .to = member % members + 1});
    references.push_back({.from = member % members + 1, .to = member});
  }
  const DominatorTree tree = dominators(graph_of(members + 1, references));
  for (NodeIndex member = 1; member <= members; ++member) ASSERT_EQ(tree.dominator[member], 0u);
}

TEST(Dominators, RetainedIncludesMemoryOutsideTheHeap) {
  HeapGraph graph = graph_of(4, {{0, 1}, {1, 2}, {2, 3}});
  graph.kind[3] = NodeKind::native;
  graph.self_size = {0, 16, 80, 4'000'000'000};
  EXPECT_EQ(dominators(graph).retained[1], 4'000'000'096u);
}

TEST(Dominators, OfNothingAreNothing) { EXPECT_TRUE(dominators({}).dominator.empty()); }

}  // namespace
