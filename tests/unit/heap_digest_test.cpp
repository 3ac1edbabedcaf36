// A heap reduced to rows: what is one path, what is none, and that it stays the same.
#include "analysis/heap/digest.h"

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <map>

#include "analysis/heap/path_tree.h"
#include "analysis/heap/script_sources.h"

namespace ebbtide {
namespace {

using testing::IsEmpty;
using testing::Not;

// A heap written down object by object; a native context and its roots are there.
class HeapBuilder {
 public:
  HeapBuilder() {
    text("");
    for (const char* name : {"(root)", "(JavaScript roots)", "(C++ handles)"}) {
      node(NodeKind::synthetic, name);
    }
    edge(0, 1, EdgeKind::element, "");
    edge(0, 2, EdgeKind::element, "");
    context_ = node(NodeKind::hidden, "system / NativeContext", 10);
    edge(1, context_, EdgeKind::internal, "");
  }

  NodeIndex node(NodeKind kind, const std::string& name, std::uint32_t size = 100) {
    kinds_.push_back(kind);
    names_.push_back(text(name));
    sizes_.push_back(size);
    edges_.emplace_back();
    return static_cast<NodeIndex>(kinds_.size() - 1);
  }

  void edge(NodeIndex from, NodeIndex to, EdgeKind kind, const std::string& name) {
    edges_[from].push_back(HeapEdge::make(to, kind, text(name)));
  }

  // An object that `owner` has under a property, or as an element of its backing store.
  NodeIndex property(NodeIndex owner, const std::string& name, const std::string& class_name) {
    const NodeIndex made = node(NodeKind::object, class_name);
    edge(owner, made, EdgeKind::property, name);
    return made;
  }
  NodeIndex element(NodeIndex owner, const std::string& class_name) {
    if (!stores_.contains(owner)) {
      stores_[owner] = node(NodeKind::array, "", 16);
      edge(owner, stores_[owner], EdgeKind::internal, "elements");
    }
    const NodeIndex made = node(NodeKind::object, class_name);
    edge(stores_[owner], made, EdgeKind::element, "");
    return made;
  }

  // A function at a place of the script, and its context with nothing in it yet.
  NodeIndex function(const std::string& name, std::uint32_t line, std::uint32_t column) {
    const NodeIndex made = node(NodeKind::closure, name);
    locations_.push_back({made, 0, line, column});
    edge(context_, made, EdgeKind::internal, "");
    const NodeIndex context = node(NodeKind::object, "system / Context");
    edge(made, context, EdgeKind::internal, "context");
    edge(context, context_, EdgeKind::internal, "previous");
    return made;
  }
  // What a module's variable holds.
  NodeIndex variable(NodeIndex function, const std::string& name, const std::string& class_name) {
    const NodeIndex made = node(NodeKind::object, class_name);
    edge(function + 1, made, EdgeKind::context, name);
    return made;
  }

  [[nodiscard]] HeapGraph graph(const std::string& source) const {
    HeapGraph graph;
    graph.kind = kinds_;
    graph.name = names_;
    graph.self_size = sizes_;
    for (const auto& edges : edges_) {
      graph.first_edge.push_back(static_cast<std::uint32_t>(graph.edges.size()));
      graph.edges.insert(graph.edges.end(), edges.begin(), edges.end());
    }
    graph.first_edge.push_back(static_cast<std::uint32_t>(graph.edges.size()));
    graph.strings = strings_;
    graph.scripts.push_back({"file:///srv/app/server.js", source, ""});
    graph.locations = locations_;
    return graph;
  }

 private:
  std::uint32_t text(const std::string& value) {
    const auto [found, fresh] =
        texts_.try_emplace(value, static_cast<std::uint32_t>(strings_.size()));
    if (fresh) strings_.push_back(value);
    return found->second;
  }

  std::vector<NodeKind> kinds_;
  std::vector<std::uint32_t> names_, sizes_;
  std::vector<std::vector<HeapEdge>> edges_;
  std::vector<std::string> strings_;
  std::map<std::string, std::uint32_t> texts_;
  std::map<NodeIndex, NodeIndex> stores_;
  std::vector<HeapLocation> locations_;
  NodeIndex context_ = 0;
};

const std::string source = "const kept = new Map();\nfunction use() { return kept; }\n";

// "kept(Map) > (Session)" with its level, for paths of one look.
std::map<std::string, HeapPathLevel> told(const HeapDigest& digest) {
  std::map<std::uint64_t, const HeapPath*> by_id;
  for (const HeapPath& path : digest.paths) by_id[path.id] = &path;
  std::map<std::string, HeapPathLevel> levels;
  for (const HeapPathLevel& level : digest.levels) {
    std::string text;
    for (const HeapPath* step = by_id.at(level.path_id); step->parent != 0;
         step = by_id.at(step->parent)) {
      text =
          fmt::format("{}({}){}{}", step->edge, step->class_name, text.empty() ? "" : " > ", text);
    }
    levels[text] = level;
  }
  return levels;
}

HeapDigest digest_of(const HeapBuilder& heap) {
  return HeapDigester(nullptr).digest(heap.graph(source), 0, "main");
}

TEST(HeapDigest, AModulesVariableBeginsAPath) {
  HeapBuilder heap;
  const NodeIndex use = heap.function("use", 2, 13);
  const NodeIndex kept = heap.variable(use, "kept", "Map");
  for (int i = 0; i < 10; ++i) {
    const NodeIndex session = heap.element(kept, "Session");
    heap.edge(session, heap.node(NodeKind::string, "", 40), EdgeKind::property, "name");
  }
  const HeapDigest digest = digest_of(heap);
  const auto levels = told(digest);
  ASSERT_TRUE(levels.contains("kept(Map) > (Session)"));
  const HeapPathLevel& sessions = levels.at("kept(Map) > (Session)");
  EXPECT_EQ(sessions.objects, 10u);
  EXPECT_EQ(sessions.bytes, 1400u);  // with the strings
  EXPECT_EQ(sessions.retained_bytes, 1400u);
  EXPECT_EQ(levels.at("kept(Map)").retained_bytes, 100u + 16u + 1400u);
  const auto path = std::ranges::find(digest.paths, "kept", &HeapPath::edge);
  ASSERT_NE(path, digest.paths.end());
  EXPECT_EQ(path->position, (CodePosition{"/srv/app/server.js", 1, 7, ""}));
  EXPECT_EQ(path->step, PathStep::variable);
}

TEST(HeapDigest, AListIsOneStep) {
  HeapBuilder heap;
  NodeIndex last = heap.variable(heap.function("use", 2, 13), "kept", "List");
  for (int i = 0; i < 1000; ++i) last = heap.property(last, "next", "Link");
  const auto levels = told(digest_of(heap));
  ASSERT_TRUE(levels.contains("kept(List) > next(Link)"));
  EXPECT_EQ(levels.at("kept(List) > next(Link)").objects, 1000u);
  // Each link dominates the next one: their bytes are counted once.
  EXPECT_EQ(levels.at("kept(List) > next(Link)").retained_bytes, 100000u);
}

TEST(HeapDigest, AlternatingStepsAreBounded) {
  HeapBuilder heap;
  NodeIndex last = heap.variable(heap.function("use", 2, 13), "kept", "List");
  for (int i = 0; i < 500; ++i) {
    last = heap.property(heap.property(last, "a", "A"), "b", "B");
  }
  const auto levels = told(digest_of(heap));
  EXPECT_LE(levels.size(), 8u);
  EXPECT_EQ(levels.at("kept(List) > a(A)").objects, 500u);
  EXPECT_EQ(levels.at("kept(List) > a(A) > b(B)").objects, 500u);
  EXPECT_EQ(levels.at("kept(List) > a(A)").retained_bytes, 100000u);
}

TEST(HeapDigest, KeysAreNoNames) {
  HeapBuilder heap;
  const NodeIndex use = heap.function("use", 2, 13);
  const NodeIndex kept = heap.variable(use, "kept", "Object");
  const NodeIndex words = heap.variable(use, "words", "Object");
  for (int i = 0; i < 100; ++i) {
    heap.property(heap.property(kept, fmt::format("user-{}", i), "Session"), "socket", "Socket");
    const std::string word = {static_cast<char>('a' + i / 26), static_cast<char>('a' + i % 26)};
    heap.property(heap.property(words, word, "Session"), "socket", "Socket");
  }
  const auto levels = told(digest_of(heap));
  for (const char* name : {"kept", "words"}) {
    EXPECT_EQ(levels.at(fmt::format("{}(Object) > (Session)", name)).objects, 100u);
    EXPECT_EQ(levels.at(fmt::format("{}(Object) > (Session) > socket(Socket)", name)).objects,
              100u);
  }
  EXPECT_EQ(levels.at("kept(Object)").entries, 100u);
}

TEST(HeapDigest, LooksLikeData) {
  for (const char* name : {"0", "42", "user-42", "10.0.0.1:80", "/room/7", "u1000", "deadbeef01",
                           "3f2504e0-4f89-41d3-9a0c-0305e82c3301"}) {
    EXPECT_TRUE(looks_like_data(name)) << name;
  }
  for (const char* name : {"", "users", "#x1y2-z3", "<symbol k-1>", "utf8", "on", "content-type",
                           "http2", "Int8Array"}) {
    EXPECT_FALSE(looks_like_data(name)) << name;
  }
}

TEST(HeapDigest, PathsStayTheSameFromLookToLook) {
  const auto look = [](int sessions, bool others_first) {
    HeapBuilder heap;
    const NodeIndex use = heap.function("use", 2, 13);
    if (others_first) {
      for (int i = 0; i < 50; ++i) heap.element(heap.variable(use, "kept2", "Array"), "Other");
    }
    const NodeIndex kept = heap.variable(use, "kept", "Map");
    for (int i = 0; i < sessions; ++i) heap.element(kept, "Session");
    return heap.graph(source);
  };
  HeapDigester digester(nullptr);
  const auto id_of = [](const HeapDigest& digest) {
    for (const HeapPath& path : digest.paths) {
      if (path.class_name == "Session") return path.id;
    }
    return std::uint64_t{0};
  };
  const auto first = id_of(digester.digest(look(10, false), 0, "main"));
  EXPECT_NE(first, 0u);
  EXPECT_EQ(id_of(digester.digest(look(5000, true), 1, "main")), first);
  EXPECT_EQ(id_of(HeapDigester(nullptr).digest(look(20, true), 1, "main")), first);
  EXPECT_NE(id_of(digester.digest(look(10, false), 0, "worker 1")), first);
  // A path that was told once stays, however little is left of it.
  EXPECT_EQ(id_of(digester.digest(look(1, false), 2, "main")), first);
}

TEST(HeapDigest, SumsOfTheCensus) {
  HeapBuilder heap;
  const NodeIndex buffer = heap.variable(heap.function("use", 2, 13), "kept", "ArrayBuffer");
  heap.edge(buffer, heap.node(NodeKind::native, "system / JSArrayBufferData", 5000),
            EdgeKind::internal, "backing_store");
  heap.edge(2, heap.node(NodeKind::object, "TCP", 70), EdgeKind::element, "");
  heap.node(NodeKind::object, "Forgotten", 30);
  const HeapDigest digest = digest_of(heap);
  EXPECT_EQ(digest.census.external_bytes, 5000u);
  EXPECT_EQ(digest.census.handle_bytes, 70u + 100u);  // with the handles' own root
  EXPECT_EQ(digest.census.garbage_bytes, 30u);
}

TEST(HeapDigest, CompiledCodeIsASumOfItsOwn) {
  HeapBuilder heap;
  const NodeIndex use = heap.function("use", 2, 13);
  const auto before = digest_of(heap).census;
  const NodeIndex code = heap.node(NodeKind::compiled, "system / Code", 400);
  heap.edge(use, code, EdgeKind::internal, "");
  const NodeIndex assumed = heap.node(NodeKind::array, "", 60);
  heap.edge(code, assumed, EdgeKind::internal, "");
  heap.edge(assumed, heap.node(NodeKind::array, "", 8), EdgeKind::internal, "");
  const auto compiled = digest_of(heap).census;
  EXPECT_EQ(compiled.compiled_bytes, 468u);
  EXPECT_EQ(compiled.reachable_bytes, before.reachable_bytes);
  // What a program has is its own, though the code refers to it too.
  const NodeIndex kept = heap.variable(use, "kept", "Array");
  heap.edge(assumed, kept, EdgeKind::internal, "");
  heap.element(kept, "Item");
  EXPECT_EQ(digest_of(heap).census.compiled_bytes, 468u);
  EXPECT_GT(digest_of(heap).census.reachable_bytes, before.reachable_bytes + 100);
}

TEST(HeapDigest, NoHeapIsTooSmall) {
  const HeapDigest digest = HeapDigester(nullptr).digest(HeapBuilder().graph(""), 3, "main");
  EXPECT_EQ(digest.census.cycle, 3u);
  EXPECT_THAT(digest.classes, IsEmpty());
  EXPECT_THAT(digest.paths, Not(IsEmpty()));
}

TEST(ScriptSources, NamesOfOneScript) {
  EXPECT_EQ(script_path("file:///srv/a%20b/server.js"), "/srv/a b/server.js");
  EXPECT_EQ(script_path("/srv/server.js"), "/srv/server.js");
  EXPECT_EQ(base_name("/srv/server.js"), "server.js");
  EXPECT_EQ(base_name("node:internal/timers"), "node:internal/timers");
  EXPECT_TRUE(is_user_script("/srv/server.js"));
  EXPECT_FALSE(is_user_script("node:net"));
  EXPECT_FALSE(is_user_script("/srv/node_modules/ws/lib/websocket.js"));
  EXPECT_FALSE(is_user_script(""));
}

TEST(ScriptSources, InlineAndForeignMaps) {
  const std::string map = R"({"version":3,"sources":["../src/a.ts"],"mappings":"AAEA"})";
  const std::string base64 =
      "eyJ2ZXJzaW9uIjozLCJzb3VyY2VzIjpbIi4uL3NyYy9hLnRzIl0sIm1hcHBpbmdzIjoiQUFFQSJ9";
  std::string escaped;
  for (const char byte : map) escaped += fmt::format("%{:02X}", static_cast<unsigned char>(byte));
  const CodePosition original{"/srv/src/a.ts", 3, 1, "dist/a.js:1:1"};
  for (const std::string& url :
       {"data:application/json;base64," + base64, "data:application/json," + escaped,
        std::string("maps/a.map"), std::string("file:///srv/dist/a.map")}) {
    const ReadText read = [&](const std::string& path) -> std::optional<std::string> {
      if (path == "/srv/dist/a.map") return map;
      if (path == "/srv/dist/maps/a.map") {
        return R"({"version":3,"sources":["../../src/a.ts"],"mappings":"AAEA"})";
      }
      return std::nullopt;
    };
    const ScriptSource script({"/srv/dist/a.js", "x\n//# sourceMappingURL=" + url, ""}, read);
    EXPECT_EQ(script.position({1, 1}), original) << url;
  }
  std::vector<std::string> asked;
  const ReadText read = [&](const std::string& path) -> std::optional<std::string> {
    asked.push_back(path);
    return std::nullopt;
  };
  const ScriptSource remote({"/srv/a.js", "x", "https://example.com/a.map"}, read);
  EXPECT_THAT(asked, IsEmpty());
  EXPECT_EQ(remote.position({1, 1}), (CodePosition{"/srv/a.js", 1, 1, ""}));
}

}  // namespace
}  // namespace ebbtide
