// Snapshots that real Nodes wrote of a known population.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>

#include "analysis/heap/dominators.h"
#include "analysis/heap/retainers.h"
#include "analysis/heap/snapshot.h"
#include "tests/temporary_directory.h"
#include "tests/unit/heap_files.h"

namespace {

using namespace ebbtide;
using testing::ElementsAre;
using testing::EndsWith;

class PopulationOf : public testing::TestWithParam<int> {
 protected:
  void SetUp() override {
    path_ = directory_.file("population.heapsnapshot");
    write_population(GetParam(), path_);
    auto snapshot = read_snapshot(path_);
    ASSERT_TRUE(snapshot) << snapshot.error().message();
    snapshot_ = std::move(*snapshot);
    tree_ = retainers(graph());
  }

  [[nodiscard]] const HeapGraph& graph() const { return snapshot_.graph; }

  // The node in a variable of the module.
  [[nodiscard]] NodeIndex variable(const std::string& name) const {
    for (NodeIndex node = 0; node < graph().size(); ++node) {
      if (follow(graph(), node, EdgeKind::context, "sessions") != no_node)
        return follow(graph(), node, EdgeKind::context, name);
    }
    return no_node;
  }

  [[nodiscard]] std::uint32_t entries(const std::string& name) const {
    return graph().entries_of(variable(name));
  }

  // The classes and named steps from the last variable on the way down to `node`.
  [[nodiscard]] std::vector<std::string> path_to(NodeIndex node) const {
    std::vector<std::string> path;
    for (; tree_.parent[node] != no_node; node = tree_.parent[node]) {
      const HeapEdge& edge = graph().edges[tree_.edge[node]];
      path.emplace_back(graph().name_of(node));
      path.emplace_back(edge.kind() == EdgeKind::element ? "[]" : graph().name_of(edge));
      if (edge.kind() == EdgeKind::context) break;
    }
    std::ranges::reverse(path);
    return path;
  }

  [[nodiscard]] const HeapLocation* location_of_closure(const std::string& name) const {
    for (const HeapLocation& location : graph().locations) {
      if (graph().kind[location.node] == NodeKind::closure &&
          graph().name_of(location.node) == name)
        return &location;
    }
    return nullptr;
  }

  TemporaryDirectory directory_;
  std::string path_;
  Snapshot snapshot_;
  RetainerTree tree_;
};

TEST_P(PopulationOf, IsCountedExactly) {
  const auto count = [&](const std::string& name) { return objects_named(graph(), name).size(); };
  EXPECT_EQ(count("Session"), 91u);
  EXPECT_EQ(count("InSet"), 37u);
  EXPECT_EQ(count("InDictionary"), 54u);
  EXPECT_EQ(count("InSparseArray"), 53u);
  EXPECT_EQ(count("InPrivateField"), 43u);
  EXPECT_EQ(count("OfSocket"), 23u);
  EXPECT_EQ(count("Größe"), 2u);
  std::map<std::string_view, int> closures;
  for (NodeIndex node = 0; node < graph().size(); ++node) {
    if (graph().kind[node] == NodeKind::closure) ++closures[graph().name_of(node)];
  }
  EXPECT_EQ(closures["leakedCallback"], 41);
  EXPECT_EQ(closures["onTick"], 47);
  EXPECT_EQ(closures["heartbeat"], 67);
}

TEST_P(PopulationOf, ContainersHoldWhatWasPutIn) {
  EXPECT_EQ(entries("sessions"), 91u);  // 101 set, 10 deleted
  EXPECT_EQ(entries("members"), 37u);
  EXPECT_EQ(entries("dictionary"), 54u);
  EXPECT_EQ(entries("sparse"), 53u);
  EXPECT_EQ(entries("callbacks"), 41u);
  EXPECT_EQ(entries("unicode"), 2u);
  EXPECT_TRUE(std::ranges::is_sorted(graph().containers, {}, &ContainerSize::node));
}

TEST_P(PopulationOf, PathsGoThroughTheVariable) {
  EXPECT_THAT(path_to(objects_named(graph(), "Session").front()),
              ElementsAre("sessions", "Map", "table", "", "[]", "Session"));
  EXPECT_THAT(path_to(objects_named(graph(), "InPrivateField").front()),
              ElementsAre("kept", "Kept", "#list", "Array", "[]", "InPrivateField"));
  EXPECT_THAT(path_to(objects_named(graph(), "InSparseArray").front()),
              ElementsAre("sparse", "Object", "[]", "InSparseArray"));
  const HeapLocation* callback = location_of_closure("leakedCallback");
  ASSERT_NE(callback, nullptr);
  EXPECT_THAT(path_to(callback->node), ElementsAre("callbacks", "Array", "[]", "leakedCallback"));
  const HeapLocation* listener = location_of_closure("onTick");
  ASSERT_NE(listener, nullptr);
  EXPECT_THAT(path_to(listener->node), ElementsAre("bus", "EventEmitter", "_events", "Object",
                                                   "tick", "Array", "[]", "onTick"));
}

TEST_P(PopulationOf, ValueOfAWeakMapDiesWithItsKey) {
  EXPECT_EQ(objects_named(graph(), "OfDeadKey").size(), 0u);
  const auto values = objects_named(graph(), "OfLiveKey");
  ASSERT_EQ(values.size(), 1u);
  EXPECT_EQ(dominators(graph()).dominator[values[0]], variable("liveKey"));
  EXPECT_EQ(path_to(values[0]).front(), "liveKey");
}

// What accepted a socket and keeps nothing of it is found by the socket's own handle alone.
TEST_P(PopulationOf, SocketsAreHeldByHandlesOnly) {
  for (const NodeIndex node : objects_named(graph(), "OfSocket"))
    EXPECT_EQ(tree_.reach[node], Reach::handles);
  for (const NodeIndex node : objects_named(graph(), "Session"))
    EXPECT_EQ(tree_.reach[node], Reach::javascript);
}

TEST_P(PopulationOf, PositionsAreExact) {
  const HeapLocation* callback = location_of_closure("leakedCallback");
  ASSERT_NE(callback, nullptr);
  const auto at = [&](const std::string& text) { return position_in_population(text); };
  EXPECT_EQ(std::pair(callback->line, callback->column), at("function leakedCallback|"));
  const HeapLocation* session = graph().location_of(objects_named(graph(), "Session").front());
  ASSERT_NE(session, nullptr);
  EXPECT_EQ(std::pair(session->line, session->column), at("constructor|(id)"));
  EXPECT_EQ(callback->script, session->script);
  const HeapScript& script = graph().scripts[session->script];
  EXPECT_THAT(script.name, EndsWith("/tests/unit/heap_population.js"));
  EXPECT_EQ(script.source_map_url, "heap_population.js.map");
}

TEST_P(PopulationOf, ContentsOfStringsAreNotKept) {
  for (NodeIndex node = 0; node < graph().size(); ++node) {
    if (graph().kind[node] != NodeKind::string) continue;
    ASSERT_EQ(graph().name_of(node), "");
  }
  EXPECT_THAT(graph().strings, testing::Not(testing::Contains("session-42")));
  EXPECT_THAT(graph().strings, testing::Contains("name-42"));
}

TEST_P(PopulationOf, ElementsAppearOnce) {
  const NodeIndex first = objects_named(graph(), "InPrivateField").front();
  const auto references = std::ranges::count(graph().edges, first, &HeapEdge::to);
  EXPECT_EQ(references, 1);
}

TEST_P(PopulationOf, BirthIsTheLookThatFirstHadIt) {
  const std::vector<std::uint64_t> looks = {0, snapshot_.max_id / 2, snapshot_.max_id};
  const auto again = read_snapshot(path_, looks);
  ASSERT_TRUE(again);
  const std::vector<std::uint16_t>& birth = again->graph.birth;
  ASSERT_EQ(birth.size(), graph().size());
  EXPECT_GT(std::ranges::count(birth, 1), 1000);
  EXPECT_GT(std::ranges::count(birth, 2), 1000);
  EXPECT_EQ(std::ranges::count(birth, 3), 0);
  EXPECT_TRUE(graph().birth.empty());
}

INSTANTIATE_TEST_SUITE_P(Node, PopulationOf, testing::Values(18, 20, 22, 24, 26),
                         testing::PrintToStringParamName());

}  // namespace
