// Snapshots made by hand or changed: what the format allows, and what it does not.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <fstream>
#include <random>

#include "analysis/heap/snapshot.h"
#include "tests/temporary_directory.h"
#include "tests/unit/heap_files.h"
#include "tests/unit/node_program.h"

namespace {

using namespace ebbtide;
using Json = nlohmann::ordered_json;
using testing::HasSubstr;

Result<Snapshot> read_text(const std::string& text) {
  const TemporaryDirectory directory;
  const std::string path = directory.file("test.heapsnapshot");
  write_file(path, text);
  return read_snapshot(path);
}

std::string error_of(const std::string& text) {
  const auto snapshot = read_text(text);
  return snapshot ? "" : snapshot.error().message();
}

void expect_same(const HeapGraph& left, const HeapGraph& right) {
  EXPECT_EQ(left.kind, right.kind);
  EXPECT_EQ(left.self_size, right.self_size);
  ASSERT_EQ(left.first_edge, right.first_edge);
  ASSERT_EQ(left.edges.size(), right.edges.size());
  for (std::size_t place = 0; place < left.edges.size(); ++place) {
    ASSERT_EQ(left.edges[place].to, right.edges[place].to);
    ASSERT_EQ(left.name_of(left.edges[place]), right.name_of(right.edges[place]));
  }
  for (NodeIndex node = 0; node < left.size(); ++node)
    ASSERT_EQ(left.name_of(node), right.name_of(node));
  ASSERT_EQ(left.locations.size(), right.locations.size());
  for (std::size_t place = 0; place < left.locations.size(); ++place) {
    ASSERT_EQ(left.locations[place].node, right.locations[place].node);
    ASSERT_EQ(left.locations[place].line, right.locations[place].line);
  }
  ASSERT_EQ(left.scripts.size(), right.scripts.size());
  for (std::size_t place = 0; place < left.scripts.size(); ++place) {
    EXPECT_EQ(left.scripts[place].name, right.scripts[place].name);
    EXPECT_EQ(left.scripts[place].source_map_url, right.scripts[place].source_map_url);
  }
  EXPECT_EQ(left.containers.size(), right.containers.size());
}

Json in_order(const Json& snapshot, const std::vector<std::string>& members) {
  Json ordered;
  for (const std::string& member : members) ordered[member] = snapshot[member];
  return ordered;
}

// The records of `list`, their fields reversed and one that nobody knows put in front.
void rearrange(Json& snapshot, const char* fields, const char* list, const char* types) {
  Json& meta = snapshot["snapshot"]["meta"];
  const std::size_t width = meta[fields].size();
  Json records = Json::array();
  for (std::size_t begin = 0; begin < snapshot[list].size(); begin += width) {
    records.push_back(12345);
    for (std::size_t place = width; place-- > 0;) {
      const bool is_reference =
          meta[fields][place] == "to_node" || meta[fields][place] == "object_index";
      const std::uint64_t value = snapshot[list][begin + place];
      records.push_back(is_reference ? value / 5 * 6 : value);
    }
  }
  snapshot[list] = records;
  for (const char* names : {fields, types}) {
    if (names == nullptr) continue;
    Json reversed = {"of the future"};
    for (std::size_t place = width; place-- > 0;) reversed.push_back(meta[names][place]);
    if (names == types && meta[names].size() < width) continue;
    meta[names] = reversed;
  }
}

TEST(SnapshotFormat, OfThreeNodes) {
  const auto snapshot = read_text(small_snapshot().dump());
  ASSERT_TRUE(snapshot) << snapshot.error().message();
  const HeapGraph& graph = snapshot->graph;
  ASSERT_EQ(graph.size(), 5u);
  EXPECT_EQ(graph.name_of(3), "(GC roots)");
  EXPECT_EQ(graph.name_of(4), "Session");
  EXPECT_EQ(graph.self_size[4], 40u);
  EXPECT_EQ(follow(graph, 3, EdgeKind::property, "kept"), 4u);
  ASSERT_EQ(graph.edges_of(HeapGraph::javascript_roots).size(), 1u);
  EXPECT_EQ(graph.edges_of(HeapGraph::javascript_roots)[0].to, 3u);
  ASSERT_NE(graph.location_of(4), nullptr);
  EXPECT_EQ(graph.location_of(4)->line, 5u);
  EXPECT_EQ(graph.location_of(4)->column, 28u);
  EXPECT_EQ(snapshot->max_id, 5u);
}

TEST(SnapshotFormat, MembersMayComeInAnyOrder) {
  const Json snapshot = small_snapshot();
  const auto expected = read_text(snapshot.dump());
  ASSERT_TRUE(expected);
  std::vector<std::string> members = {"edges", "locations", "nodes", "snapshot", "strings"};
  do {
    const auto again = read_text(in_order(snapshot, members).dump());
    ASSERT_TRUE(again) << again.error().message();
    expect_same(expected->graph, again->graph);
  } while (std::ranges::next_permutation(members).found);
}

TEST(SnapshotFormat, FieldsMayComeInAnyOrderAndNewOnesBesides) {
  Json snapshot = small_snapshot();
  const auto expected = read_text(snapshot.dump());
  ASSERT_TRUE(expected);
  rearrange(snapshot, "node_fields", "nodes", "node_types");
  rearrange(snapshot, "edge_fields", "edges", "edge_types");
  rearrange(snapshot, "location_fields", "locations", nullptr);
  const auto again = read_text(snapshot.dump());
  ASSERT_TRUE(again) << again.error().message();
  expect_same(expected->graph, again->graph);
}

TEST(SnapshotFormat, ARealOneMayBeTurnedAround) {
  const TemporaryDirectory directory;
  const std::string path = directory.file("real.heapsnapshot");
  write_population(20, path);
  const auto expected = read_snapshot(path);
  ASSERT_TRUE(expected) << expected.error().message();
  Json real = Json::parse(text_of_file(path));
  const auto again = read_text(
      in_order(real, {"strings", "locations", "samples", "edges", "nodes", "snapshot"}).dump(1));
  ASSERT_TRUE(again) << again.error().message();
  expect_same(expected->graph, again->graph);
}

TEST(SnapshotFormat, UnknownMembersAreSkipped) {
  Json snapshot = small_snapshot();
  snapshot["nested"] = {{"a", {1, -2.5e3, true, nullptr, "]}\"\\"}}, {"b", Json::object()}};
  snapshot["number"] = -1.5;
  snapshot["text"] = "\\\"[{";
  EXPECT_EQ(error_of(in_order(snapshot,
                              {"nested", "snapshot", "text", "nodes", "edges", "number", "strings"})
                         .dump(2)),
            "");
}

TEST(SnapshotFormat, StringsAreUnescaped) {
  Json snapshot = small_snapshot();
  std::string text = snapshot.dump();
  text.replace(text.find("\"Session\""), 9,
               R"("a\"\\\/\b\f\n\r\t\u00e9\uD83D\uDE00\ud800x\udc00)"
               "\xff\"");
  const auto read = read_text(text);
  ASSERT_TRUE(read) << read.error().message();
  EXPECT_EQ(read->graph.name_of(4), "a\"\\/\b\f\n\r\té\U0001f600\uFFFDx\uFFFD\xff");
}

TEST(SnapshotFormat, WeakEdgesAreLeftOut) {
  Json snapshot = small_snapshot();
  snapshot["edges"][3] = 2;
  const auto read = read_text(snapshot.dump());
  ASSERT_TRUE(read);
  EXPECT_TRUE(read->graph.edges_of(3).empty());
}

TEST(SnapshotFormat, HandlesHangBelowTheirOwnRoot) {
  Json snapshot = small_snapshot();
  snapshot["strings"] = {"", "(GC roots)", "(Global handles)", "kept", "C++ Persistent roots"};
  snapshot["nodes"] = {0, 0, 1, 0, 3, 0, 1, 3, 0, 1, 0, 2, 5, 0, 0, 0, 4, 7, 0, 0, 1, 3, 9, 8, 0};
  snapshot["edges"] = {1, 1, 5, 1, 2, 15, 4, 3, 20, 1, 1, 10};
  snapshot["snapshot"]["node_count"] = 5;
  snapshot["snapshot"]["edge_count"] = 4;
  const auto read = read_text(snapshot.dump());
  ASSERT_TRUE(read) << read.error().message();
  const auto children = [&](NodeIndex node) {
    std::vector<NodeIndex> to;
    for (const HeapEdge& edge : read->graph.edges_of(node)) to.push_back(edge.to);
    return to;
  };
  EXPECT_THAT(children(HeapGraph::root), testing::ElementsAre(1, 2));
  EXPECT_THAT(children(HeapGraph::javascript_roots), testing::ElementsAre(3, 6));
  EXPECT_THAT(children(HeapGraph::handle_roots), testing::UnorderedElementsAre(4, 5));
  EXPECT_THAT(children(3), testing::IsEmpty());
}

TEST(SnapshotBadInput, SaysWhatIsWrongAndWhere) {
  EXPECT_THAT(error_of(""), HasSubstr("at byte 0: the file is empty"));
  EXPECT_THAT(error_of("<html>"), HasSubstr("at byte 0: this is not a heap snapshot"));
  EXPECT_THAT(error_of("{}"), HasSubstr("it has no \"snapshot\""));
  EXPECT_THAT(error_of(R"({"a":1})"), HasSubstr("it has no \"snapshot\""));
  EXPECT_THAT(error_of(R"({"snapshot":{}})"), HasSubstr("at byte 12: this is not a heap snapshot"));
  EXPECT_THAT(error_of(R"({"snapshot":1,)"), HasSubstr("at byte 12"));
  const auto missing = read_snapshot("/nowhere/x.heapsnapshot");
  ASSERT_FALSE(missing);
  EXPECT_THAT(missing.error().message(), HasSubstr("No such file"));
  const TemporaryDirectory directory;
  EXPECT_FALSE(read_snapshot(directory.path()));
}

TEST(SnapshotBadInput, WhatDoesNotAddUpIsRefused) {
  const auto with = [](const char* list, std::size_t place, const Json& value) {
    Json snapshot = small_snapshot();
    snapshot[list][place] = value;
    return error_of(snapshot.dump());
  };
  EXPECT_THAT(with("nodes", 0, 99), HasSubstr("unknown type 99"));
  EXPECT_THAT(with("nodes", 1, 4), HasSubstr("named by number 4"));
  EXPECT_THAT(with("nodes", 1, 4294967295), HasSubstr("a name out of range"));
  EXPECT_THAT(with("nodes", 4, 0), HasSubstr("more edges than"));
  EXPECT_THAT(with("nodes", 4, 2), HasSubstr("fewer edges than"));
  EXPECT_THAT(with("nodes", 4, 4294967296), HasSubstr("more edges than can be handled"));
  EXPECT_THAT(with("nodes", 3, -1), HasSubstr("a whole number should be here"));
  EXPECT_THAT(with("nodes", 3, 1.5), HasSubstr("should be here"));
  EXPECT_THAT(with("nodes", 3, "x"), HasSubstr("a whole number should be here"));
  EXPECT_THAT(with("edges", 0, 6), HasSubstr("unknown type 6"));
  EXPECT_THAT(with("edges", 2, 15), HasSubstr("a node out of range: 15"));
  EXPECT_THAT(with("edges", 2, 7), HasSubstr("a node out of range: 7"));
  EXPECT_THAT(with("edges", 4, 77), HasSubstr("named by number 77"));
  EXPECT_THAT(with("locations", 0, 3), HasSubstr("a node out of range: 3"));
  Json snapshot = small_snapshot();
  snapshot["nodes"].push_back(1);
  EXPECT_THAT(error_of(snapshot.dump()), HasSubstr("in the middle of a record"));
  snapshot = small_snapshot();
  snapshot["snapshot"]["node_count"] = 4;
  EXPECT_THAT(error_of(snapshot.dump()), HasSubstr("4 nodes are announced, but there are 3"));
  EXPECT_THAT(error_of(small_snapshot().dump() + "x"), HasSubstr("something follows"));
}

TEST(SnapshotBadInput, TruncatedAnywhereIsAnError) {
  const std::string text = small_snapshot().dump();
  for (std::size_t bytes = 0; bytes < text.size(); ++bytes)
    EXPECT_NE(error_of(text.substr(0, bytes)), "") << bytes;
}

TEST(SnapshotBadInput, ARealOneTruncatedAnywhereIsAnError) {
  const TemporaryDirectory directory;
  const std::string path = directory.file("real.heapsnapshot");
  write_population(20, path);
  std::uint64_t bytes = std::filesystem::file_size(path);
  std::mt19937_64 random(500);
  // From long to short: each cut is of what the one before left.
  std::vector<std::uint64_t> cuts;
  for (int count = 0; count < 500; ++count) cuts.push_back(random() % bytes);
  std::ranges::sort(cuts, std::greater<>());
  for (const std::uint64_t cut : cuts) {
    std::filesystem::resize_file(path, cut);
    ASSERT_FALSE(read_snapshot(path)) << "cut at " << cut;
  }
}

void expect_walkable(const HeapGraph& graph) {
  for (NodeIndex node = 0; node < graph.size(); ++node) {
    ASSERT_LT(graph.name[node], graph.strings.size());
    for (const HeapEdge& edge : graph.edges_of(node)) {
      ASSERT_LT(edge.to, graph.size());
      if (edge.kind() == EdgeKind::element) continue;
      ASSERT_LT(edge.number(), graph.strings.size());
    }
  }
  for (const HeapLocation& location : graph.locations) {
    ASSERT_LT(location.node, graph.size());
    ASSERT_LT(location.script, graph.scripts.size());
  }
}

char damaged_byte(std::mt19937& random) {
  constexpr std::string_view telling = "0123456789,[]{}\":\\";
  return random() % 2 == 0 ? static_cast<char>(random()) : telling[random() % telling.size()];
}

// Whatever the bytes, there is an end and either an error or a graph that can be walked.
TEST(SnapshotBadInput, DamagedBytesDoNoHarm) {
  const std::string sound = small_snapshot().dump();
  std::mt19937 random(1234);
  int readable = 0;
  for (int round = 0; round < 5'000; ++round) {
    std::string damaged = sound;
    for (auto count = 1 + random() % 4; count > 0; --count)
      damaged[random() % damaged.size()] = damaged_byte(random);
    const auto snapshot = read_text(damaged);
    if (!snapshot) continue;
    ++readable;
    expect_walkable(snapshot->graph);
  }
  EXPECT_GT(readable, 0);
}

TEST(SnapshotBadInput, DamagedBytesOfARealOneDoNoHarm) {
  const TemporaryDirectory directory;
  const std::string path = directory.file("real.heapsnapshot");
  write_population(22, path);
  const std::string sound = text_of_file(path);
  std::fstream file(path, std::ios::binary | std::ios::in | std::ios::out);
  const auto put = [&](std::size_t place, char byte) {
    file.seekp(static_cast<std::streamoff>(place));
    file.put(byte).flush();
  };
  std::mt19937 random(4321);
  for (int round = 0; round < 100; ++round) {
    std::vector<std::size_t> places;
    for (auto count = 1 + random() % 4; count > 0; --count) {
      places.push_back(random() % sound.size());
      put(places.back(), damaged_byte(random));
    }
    const auto snapshot = read_snapshot(path);
    if (snapshot) expect_walkable(snapshot->graph);
    for (const std::size_t place : places) put(place, sound[place]);
  }
  EXPECT_TRUE(read_snapshot(path));
}

}  // namespace
