// The census of a live process against what its program says it made, and against the snapshot
// that the process then writes of itself. Every Node major of tests/packages.
#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>
#include <fstream>
#include <iterator>
#include <map>
#include <string>
#include <tuple>
#include <vector>

#include "analysis/heap/digest.h"
#include "analysis/heap/live_heap.h"
#include "analysis/heap/snapshot.h"
#include "tests/e2e/heap_counts.h"
#include "tests/e2e/node_child.h"
#include "tests/temporary_directory.h"
#include "tracer/proc.h"
#include "tracer/v8/heap_capture.h"

namespace ebbtide {
namespace {

const std::string program = SOURCE_DIR "/tests/e2e/heap/known_heap.js";

std::string node_of_major(int major) {
  return fmt::format(SOURCE_DIR "/tests/packages/node_modules/node{}/bin/node", major);
}

std::string source_text() {
  std::ifstream file(program);
  return {std::istreambuf_iterator<char>(file), {}};
}

std::uint32_t line_of(const std::string& text, const std::string& what) {
  const auto at = text.find(what);
  return 1 + static_cast<std::uint32_t>(
                 std::count(text.begin(), text.begin() + static_cast<std::ptrdiff_t>(at), '\n'));
}

std::vector<IsolateHeap> census(pid_t pid) {
  auto capture = HeapCapture::open(pid);
  if (!capture) {
    ADD_FAILURE() << capture.error().message();
    return {};
  }
  auto image = (*capture)->take();
  if (!image) {
    ADD_FAILURE() << image.error().message();
    return {};
  }
  auto heaps = read_live_heap(*image);
  if (!heaps) {
    ADD_FAILURE() << heaps.error().message();
    return {};
  }
  return std::move(*heaps);
}

class LiveHeap : public testing::TestWithParam<int> {
 protected:
  LiveHeap() : child_({node_of_major(GetParam()), "--expose-gc", program}) {
    if (!child_.wait_for("ready")) throw std::runtime_error("node does not start");
  }
  Child child_;
};

TEST_P(LiveHeap, CountsWhatTheProgramMade) {
  const auto heaps = census(child_.pid());
  ASSERT_EQ(heaps.size(), 2u);
  const auto counts = count_classes(heaps[0].graph);
  const auto count = [&](const std::string& name) {
    const auto found = counts.find(name);
    return found == counts.end() ? std::uint64_t{0} : found->second;
  };
  // The prototype of a subclass goes by the name of its superclass.
  EXPECT_EQ(count("Session"), 960u + 1);
  EXPECT_EQ(count("Premium"), 500u);
  EXPECT_EQ(count("Extra"), 500u);
  EXPECT_EQ(count("Item"), 700u);
  EXPECT_EQ(count("Entry"), 299u);
  EXPECT_EQ(count("Numbered"), 200u);
  EXPECT_EQ(count("Metadata"), 500u);
  EXPECT_EQ(count("Current"), 1u);
  EXPECT_EQ(count("Held"), 1u);
  EXPECT_EQ(count("Waiting"), 60u);
  EXPECT_EQ(count("GlobalThing"), 1u);
  EXPECT_EQ(count("ForeignObject"), 30u);
  for (const auto* lost : {"Dropped", "Watched", "Registered", "LostMetadata", "LostInContext"}) {
    EXPECT_EQ(count(lost), 0u) << lost;
  }
  EXPECT_EQ(count("Job"), 0u);
  EXPECT_EQ(count("Crowded"), 90u);
  EXPECT_EQ(count("Socket"), 2 * 8u + 2);  // both ends of each connection, the standard streams
  EXPECT_EQ(count_closures(heaps[0].graph, "listener"), 250u);
}

TEST_P(LiveHeap, AgreesWithTheSnapshotOfTheSameProcess) {
  TemporaryDirectory directory;
  const auto heaps = census(child_.pid());
  ASSERT_FALSE(heaps.empty());
  const auto path = directory.file("own.heapsnapshot");
  ASSERT_TRUE(child_.tell("snapshot " + path));
  const auto snapshot = read_snapshot(path);
  ASSERT_TRUE(snapshot) << snapshot.error().message();
  const auto ours = count_classes(heaps[0].graph);
  const auto theirs = count_classes(snapshot->graph);
  for (const auto* name :
       {"Session", "Premium", "Extra",      "Item",         "Entry",         "Numbered", "Metadata",
        "Current", "Held",    "Waiting",    "GlobalThing",  "ForeignObject", "Map",      "Set",
        "Dropped", "Watched", "Registered", "LostMetadata", "Promise",       "Server",   "Worker",
        "Pipe",    "TCP",     "Crowded",    "Socket",       "LostInContext", "Timeout"}) {
    const auto found = theirs.find(name);
    const double expected = found == theirs.end() ? 0 : static_cast<double>(found->second);
    const auto mine = ours.find(name);
    const double actual = mine == ours.end() ? 0 : static_cast<double>(mine->second);
    EXPECT_NEAR(actual, expected, expected * 0.01) << name;
  }
}

TEST_P(LiveHeap, FindsTheTimersThatRun) {
  const auto heaps = census(child_.pid());
  ASSERT_FALSE(heaps.empty());
  const auto digest = HeapDigester(nullptr).digest(heaps[0].graph, 1, "main");
  const std::uint32_t line = line_of(source_text(), "const sessions_end");
  std::map<std::tuple<std::uint64_t, bool, std::uint32_t>, std::uint64_t> counts;
  for (const HeapTimer& timer : digest.timers)
    counts[{timer.delay_ms, timer.repeats, timer.callback.line}] += timer.count;
  constexpr std::uint64_t hour = 3'600'000;
  EXPECT_EQ((counts[{hour, false, line}]), 40u);
  EXPECT_EQ((counts[{hour / 3 + 1, true, line}]) + (counts[{hour / 3, true, line}]), 3u);
  EXPECT_EQ((counts[{2 * hour, false, 0}]), 20u) << "bound: no place of its own";
  EXPECT_EQ((counts[{hour / 2, false, line}]), 0u) << "cleared";
  EXPECT_EQ((counts[{1, false, line_of(source_text(), "const over")}]), 0u) << "over";
}

TEST_P(LiveHeap, NamesVariablesPropertiesAndContainers) {
  const auto heaps = census(child_.pid());
  ASSERT_FALSE(heaps.empty());
  const HeapGraph& graph = heaps[0].graph;
  const auto entries = [&](const char* name) { return graph.entries_of(variable(graph, name)); };
  EXPECT_EQ(graph.name_of(variable(graph, "sessions")), "Map");
  EXPECT_EQ(entries("sessions"), 960u);
  EXPECT_EQ(graph.name_of(variable(graph, "premium")), "Set");
  EXPECT_EQ(entries("premium"), 500u);
  EXPECT_EQ(graph.name_of(variable(graph, "items")), "Array");
  EXPECT_EQ(entries("items"), 700u);
  EXPECT_EQ(entries("by_name"), 299u);
  EXPECT_EQ(graph.name_of(variable(graph, "current")), "Current");

  EXPECT_EQ(graph.name_of(variable(graph, "crowd_0")), "Crowded");
  EXPECT_EQ(graph.name_of(variable(graph, "crowd_89")), "Crowded");
  const auto& wide = variable(graph, "wide");
  EXPECT_EQ(graph.name_of(member(graph, wide, "field_0")), "Numbered");
  EXPECT_EQ(graph.name_of(member(graph, wide, "field_199")), "Numbered");
  EXPECT_EQ(graph.name_of(member(graph, variable(graph, "by_name"), "name 7")), "Entry");
  EXPECT_EQ(graph.name_of(member(graph, variable(graph, "current"), "<symbol tag>")), "Held");

  std::size_t secrets = 0;
  std::size_t globals = 0;
  const auto held = held_nodes(graph);
  for (NodeIndex node = 0; node < graph.size(); ++node) {
    if (held[node] == Held::not_at_all) continue;
    for (const HeapEdge& edge : graph.edges_of(node)) {
      if (edge.kind() != EdgeKind::property) continue;
      if (graph.name_of(edge) == "#secret") ++secrets;
      if (graph.name_of(edge) == "global_thing") ++globals;
    }
  }
  EXPECT_EQ(secrets, 960u + 500u);
  EXPECT_EQ(globals, 1u);
}

TEST_P(LiveHeap, SaysWhereClosuresStand) {
  TemporaryDirectory directory;
  const auto text = source_text();
  const auto heaps = census(child_.pid());
  ASSERT_FALSE(heaps.empty());
  const auto path = directory.file("own.heapsnapshot");
  ASSERT_TRUE(child_.tell("snapshot " + path));
  const auto snapshot = read_snapshot(path);
  ASSERT_TRUE(snapshot) << snapshot.error().message();

  const auto location = [&](const HeapGraph& graph, std::string_view name) -> HeapLocation {
    const auto held = held_nodes(graph);
    for (NodeIndex node = 0; node < graph.size(); ++node) {
      if (held[node] != Held::not_at_all && graph.kind[node] == NodeKind::closure &&
          graph.name_of(node) == name && graph.location_of(node) != nullptr) {
        return *graph.location_of(node);
      }
    }
    return {};
  };
  for (const auto* name : {"listener", "make_listener", "obey", "Premium", "secret"}) {
    const auto mine = location(heaps[0].graph, name);
    const auto theirs = location(snapshot->graph, name);
    EXPECT_EQ(mine.line, theirs.line) << name;
    EXPECT_EQ(mine.column, theirs.column) << name;
  }
  const auto listener = location(heaps[0].graph, "listener");
  EXPECT_EQ(listener.line, line_of(text, "return function listener"));
  const HeapScript& script = heaps[0].graph.scripts.at(listener.script);
  EXPECT_THAT(script.name, testing::EndsWith("known_heap.js"));
  EXPECT_EQ(script.source, text);
  EXPECT_EQ(script.source_map_url, "known_heap.js.map");
}

TEST_P(LiveHeap, WeighsBuffersOutsideTheHeap) {
  const auto heaps = census(child_.pid());
  ASSERT_FALSE(heaps.empty());
  const HeapGraph& graph = heaps[0].graph;
  const auto held = held_nodes(graph);
  std::size_t large = 0;
  for (NodeIndex node = 0; node < graph.size(); ++node) {
    if (held[node] != Held::not_at_all && graph.kind[node] == NodeKind::native &&
        graph.self_size[node] == 1 << 20) {
      ++large;
    }
  }
  EXPECT_EQ(large, 10u);
}

TEST_P(LiveHeap, CompiledCodeIsNoDataOfTheProgram) {
  Child warming({node_of_major(GetParam()), SOURCE_DIR "/tests/e2e/heap/warming.js"});
  ASSERT_TRUE(warming.wait_for("ready"));
  const auto weigh = [&](const std::string& command) {
    EXPECT_TRUE(warming.tell(command));
    const auto heaps = census(warming.pid());
    return heaps.empty() ? HeapCensus{} : weigh_heap(heaps[0].graph);
  };
  const HeapCensus before = weigh("once");
  const HeapCensus after = weigh("work");
  const auto change = [&](std::uint64_t HeapCensus::*sum) {
    return std::abs(static_cast<double>(after.*sum) - static_cast<double>(before.*sum));
  };
  EXPECT_GT(before.compiled_bytes, 300'000u);
  EXPECT_GT(change(&HeapCensus::compiled_bytes), 5'000) << "more is made, or old code dropped";
  EXPECT_LT(change(&HeapCensus::reachable_bytes), 12'000);
}

TEST_P(LiveHeap, TellsTheWorkersHeapFromTheMainOne) {
  const auto heaps = census(child_.pid());
  ASSERT_EQ(heaps.size(), 2u);
  EXPECT_EQ(heaps[0].name, "main");
  EXPECT_EQ(heaps[1].name, "worker 1");
  auto main = count_classes(heaps[0].graph);
  auto worker = count_classes(heaps[1].graph);
  EXPECT_EQ(worker["Job"], 123u);
  EXPECT_EQ(worker["Session"], 0u);
  EXPECT_EQ(main["Job"], 0u);
  EXPECT_EQ(heaps[1].graph.name_of(variable(heaps[1].graph, "jobs")), "Array");
}

TEST_P(LiveHeap, LeavesTheProcessAsItWas) {
  ASSERT_TRUE(child_.tell("gc"));
  ASSERT_TRUE(child_.tell("ping"));
  const auto before = read_resident_bytes(child_.pid());
  const auto threads = read_threads(child_.pid()).size();
  const auto heaps = census(child_.pid());
  ASSERT_FALSE(heaps.empty());
  // A running Node touches a page of its own now and then; what was copied is 3,000 pages.
  ASSERT_TRUE(before);
  const auto after = read_resident_bytes(child_.pid());
  ASSERT_TRUE(after);
  EXPECT_NEAR(static_cast<double>(*after), static_cast<double>(*before), 256.0 * 1024);
  EXPECT_EQ(read_threads(child_.pid()).size(), threads);
  for (const TaskEntry& task : read_threads(child_.pid())) {
    std::ifstream status(fmt::format("/proc/{}/task/{}/status", child_.pid(), task.tid));
    const std::string text{std::istreambuf_iterator<char>(status), {}};
    EXPECT_THAT(text, testing::HasSubstr("TracerPid:\t0\n"));
    EXPECT_THAT(text, testing::Not(testing::ContainsRegex("State:\t[tT]")));
  }
  EXPECT_TRUE(child_.tell("ping"));
}

INSTANTIATE_TEST_SUITE_P(Node, LiveHeap, testing::Values(18, 20, 22, 24, 26),
                         [](const auto& major) { return std::to_string(major.param); });

}  // namespace
}  // namespace ebbtide
