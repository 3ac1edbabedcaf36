#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <random>

#include "analysis/heap/retainers.h"
#include "tests/unit/heap_shapes.h"

namespace {

using namespace ebbtide;
using testing::ElementsAre;

const Reference to_javascript = {HeapGraph::root, HeapGraph::javascript_roots};
const Reference to_handles = {HeapGraph::root, HeapGraph::handle_roots};

std::vector<NodeIndex> path_to(const RetainerTree& tree, NodeIndex node) {
  std::vector<NodeIndex> path;
  for (; node != no_node; node = tree.parent[node]) path.insert(path.begin(), node);
  return path;
}

TEST(Retainers, AVariableWinsOverInternals) {
  const RetainerTree tree = retainers(graph_of(8, {to_javascript,
                                                   {1, 3, EdgeKind::internal, "context"},
                                                   {3, 7, EdgeKind::internal, "cache"},
                                                   {1, 4, EdgeKind::property, "app"},
                                                   {4, 5, EdgeKind::context, "sessions"},
                                                   {5, 7, EdgeKind::element}}));
  EXPECT_THAT(path_to(tree, 7), ElementsAre(0, 1, 4, 5, 7));
}

TEST(Retainers, AFieldWinsOverThePrototype) {
  const RetainerTree tree = retainers(graph_of(7, {to_javascript,
                                                   {1, 3},
                                                   {3, 6, EdgeKind::property, "__proto__"},
                                                   {3, 4, EdgeKind::property, "owner"},
                                                   {4, 5, EdgeKind::property, "base"},
                                                   {5, 6, EdgeKind::property, "prototype"}}));
  EXPECT_THAT(path_to(tree, 6), ElementsAre(0, 1, 3, 4, 5, 6));
}

TEST(Retainers, APathThroughCodeIsTheLastChoice) {
  HeapGraph graph = graph_of(8, {to_javascript,
                                 {1, 3, EdgeKind::property, "code"},
                                 {3, 7, EdgeKind::property, "constant"},
                                 {1, 4, EdgeKind::internal, "a"},
                                 {4, 5, EdgeKind::internal, "b"},
                                 {5, 7, EdgeKind::internal, "c"}});
  EXPECT_THAT(path_to(retainers(graph), 7), ElementsAre(0, 1, 3, 7));
  graph.kind[3] = NodeKind::code;
  EXPECT_THAT(path_to(retainers(graph), 7), ElementsAre(0, 1, 4, 5, 7));
}

TEST(Retainers, WhatTheStackHoldsIsExplainedOtherwiseIfItCanBe) {
  HeapGraph graph = graph_of(7, {to_javascript,
                                 {1, 3},
                                 {3, 6},  // (Stack roots)
                                 {1, 4, EdgeKind::internal, "native_context"},
                                 {4, 5, EdgeKind::internal, "extension"},
                                 {5, 6, EdgeKind::context, "variable"}});
  graph.kind[3] = NodeKind::synthetic;
  EXPECT_THAT(path_to(retainers(graph), 6), ElementsAre(0, 1, 4, 5, 6));
}

TEST(Retainers, JavaScriptComesBeforeHandlesHoweverFar) {
  const RetainerTree tree =
      retainers(graph_of(8, {to_javascript, to_handles, {2, 7}, {2, 6}, {1, 3}, {3, 4}, {4, 7}}));
  EXPECT_THAT(path_to(tree, 7), ElementsAre(0, 1, 3, 4, 7));
  EXPECT_THAT(tree.reach,
              ElementsAre(Reach::javascript, Reach::javascript, Reach::handles, Reach::javascript,
                          Reach::javascript, Reach::garbage, Reach::handles, Reach::javascript));
  EXPECT_EQ(tree.parent[5], no_node);
}

std::vector<bool> reached_from(const HeapGraph& graph, NodeIndex start) {
  std::vector<bool> reached(graph.size());
  std::vector<NodeIndex> waiting = {start};
  reached[start] = true;
  while (!waiting.empty()) {
    const NodeIndex node = waiting.back();
    waiting.pop_back();
    for (const HeapEdge& edge : graph.edges_of(node)) {
      if (reached[edge.to]) continue;
      reached[edge.to] = true;
      waiting.push_back(edge.to);
    }
  }
  return reached;
}

TEST(Retainers, AreATreeOfRealEdgesOverWhatIsReached) {
  std::mt19937 random(7);
  for (int round = 0; round < 2000; ++round) {
    const auto nodes = static_cast<NodeIndex>(4 + random() % 40);
    std::vector<Reference> references = {to_javascript, to_handles};
    for (auto count = random() % (3 * nodes); count > 0; --count)
      references.push_back({.from = static_cast<NodeIndex>(1 + random() % (nodes - 1)),
                            .to = static_cast<NodeIndex>(3 + random() % (nodes - 3)),
                            .kind = static_cast<EdgeKind>(random() % 4),
                            .name = random() % 2 == 0 ? "" : "name"});
    HeapGraph graph = graph_of(nodes, references);
    for (NodeIndex node = 3; node < nodes; ++node)
      graph.kind[node] = static_cast<NodeKind>(random() % 10);
    const RetainerTree tree = retainers(graph);
    const std::vector<bool> by_javascript = reached_from(graph, HeapGraph::javascript_roots);
    const std::vector<bool> by_any = reached_from(graph, HeapGraph::root);
    std::vector<bool> seen(nodes);
    for (const NodeIndex node : tree.order) {
      ASSERT_FALSE(seen[node]);
      seen[node] = true;
      if (node == HeapGraph::root) continue;
      ASSERT_TRUE(seen[tree.parent[node]]);
      ASSERT_GE(tree.edge[node], graph.first_edge[tree.parent[node]]);
      ASSERT_LT(tree.edge[node], graph.first_edge[tree.parent[node] + 1]);
      ASSERT_EQ(graph.edges[tree.edge[node]].to, node);
    }
    ASSERT_EQ(seen, by_any);
    for (NodeIndex node = 1; node < nodes; ++node) {
      const Reach expected = by_javascript[node] ? Reach::javascript
                             : by_any[node]      ? Reach::handles
                                                 : Reach::garbage;
      ASSERT_EQ(tree.reach[node], expected);
      if (expected == Reach::javascript) {
        ASSERT_EQ(tree.reach[tree.parent[node]], Reach::javascript);
      }
    }
  }
}

TEST(Retainers, OfALongListAreItsLinks) {
  const HeapGraph graph = doubly_linked_list(1'000'000);
  const RetainerTree tree = retainers(graph);
  EXPECT_EQ(tree.order.size(), graph.size());
  for (NodeIndex node = graph.size() - 999'999; node < graph.size(); ++node)
    ASSERT_EQ(tree.parent[node], node - 1);
}

}  // namespace
