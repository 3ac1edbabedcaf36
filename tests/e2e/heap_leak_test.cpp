// Planted leaks of JavaScript objects, each in a way of its own: the tool must name the reference,
// the class, how many of it each connection leaves, and the line.
#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>
#include <filesystem>
#include <ostream>

#include "tests/e2e/own_network.h"
#include "tests/e2e/server.h"
#include "tests/e2e/tool.h"
#include "tests/temporary_directory.h"

namespace ebbtide {
namespace {

namespace fs = std::filesystem;
using Json = nlohmann::json;
using testing::HasSubstr;

constexpr int cycles = 6;
constexpr int connections = 53;  // a prime number: nothing else grows by it

struct Planted {
  std::string name;  // of the server below tests/e2e/servers/heap/, and of the test
  std::string path_has;
  std::string content;
  std::string script;
  std::uint32_t line = 0;
  double retained_bytes = 0;  // at least, per connection

  friend std::ostream& operator<<(std::ostream& out, const Planted& planted) {
    return out << planted.name;
  }
};

std::string node_of(const std::string& major) {
  return SOURCE_DIR "/tests/packages/node_modules/node" + major + "/bin/node";
}

class HeapLeak : public testing::Test {
 protected:
  static void SetUpTestSuite() { ASSERT_TRUE(enter_own_network()) << "needs root"; }

  void measure(const Server& server, const std::vector<std::string>& more = {}) {
    std::vector<std::string> arguments = {"--cycles", std::to_string(cycles)};
    arguments.insert(arguments.end(), more.begin(), more.end());
    measure_until_sure(server, arguments);
  }

  // With as many cycles as the tool itself finds necessary.
  void measure_until_sure(const Server& server, const std::vector<std::string>& more) {
    std::vector<std::string> arguments = {"leak",
                                          server.url("ws"),
                                          "--send",
                                          message_,
                                          "--expect",
                                          "subscribed",
                                          "--connections",
                                          std::to_string(connections),
                                          "--close",
                                          "clean",
                                          "-o",
                                          output_.path().string()};
    arguments.insert(arguments.end(), more.begin(), more.end());
    run_ = ebbtide(arguments);
    results_ = results_in(output_.path());
  }

  std::string explanation() const {
    return run_.out + run_.err + results_.value("heap", Json()).dump(1).substr(0, 6000);
  }

  // The first cause must be the planted one, exact to one object per cycle.
  void expect_named(const Planted& planted) {
    EXPECT_EQ(run_.exit_code, 2) << explanation();
    const Json causes = results_["heap"]["causes"];
    ASSERT_FALSE(causes.empty()) << explanation();
    const Json& cause = causes.front();
    EXPECT_THAT(cause["path"].get<std::string>(), HasSubstr(planted.path_has)) << explanation();
    EXPECT_EQ(cause["content"], planted.content) << explanation();
    EXPECT_THAT(cause["position"]["script"].get<std::string>(), testing::EndsWith(planted.script));
    EXPECT_EQ(cause["position"]["line"], planted.line) << explanation();
    EXPECT_TRUE(cause["user_code"].get<bool>());
    EXPECT_FALSE(cause["bounded"].get<bool>());
    EXPECT_GE(cause["retained_per_connection_bytes"].get<double>(), planted.retained_bytes)
        << explanation();
    EXPECT_NEAR(cause["per_connection_count"].get<double>(), 1, 1.0 / connections);
    const auto levels = cause["levels"].get<std::vector<std::int64_t>>();
    const double established = results_["connections_established"];
    EXPECT_NEAR(static_cast<double>(levels.back() - levels.front()), established, cycles)
        << explanation();
    EXPECT_THAT(contents_of(output_.path() / "06-03-memory-analysis.md"),
                testing::ContainsRegex("Kept by `[^`]*" + planted.script));
  }

  std::string message_ = "x";
  TemporaryDirectory output_;
  ToolRun run_;
  Json results_;
};

const std::vector<Planted> every_planted = {
    {"map-of-sockets", "sessions", "Session", "map-of-sockets.js", 12, 4096},
    {"listeners", "feed", "sendScore @ listeners.js:9:38", "listeners.js", 6, 100},
    {"timers", "heartbeat", "Timeout", "timers.js", 7, 2048},
    {"closures", "afterRestart", "resubscribe @ closures.js:9:41", "closures.js", 5, 1024},
    {"promises", "waiting", "(anonymous)()", "promises.js", 5, 1600},
    {"private-field", "#clients", "Client", "private-field.js", 13, 2400},
    {"module-variable", "tickets", "Ticket", "store.js", 2, 800},
    {"worker", "jobs", "Job", "worker.js", 14, 3200},
    {"buffers", "headers", "Buffer", "buffers.js", 5, 32768},
};

class Planting : public HeapLeak,
                 public testing::WithParamInterface<std::tuple<std::string, Planted>> {};

TEST_P(Planting, IsNamed) {
  const auto& [major, planted] = GetParam();
  const Server server =
      Server::node(fmt::format("tests/e2e/servers/heap/{}.js", planted.name), {}, node_of(major));
  measure(server);
  expect_named(planted);
}

std::string name_of_planting(const testing::TestParamInfo<Planting::ParamType>& test) {
  std::string name = "Node" + std::get<0>(test.param) + "_" + std::get<1>(test.param).name;
  std::ranges::replace(name, '-', '_');
  return name;
}

INSTANTIATE_TEST_SUITE_P(Node20, Planting,
                         testing::Combine(testing::Values("20"), testing::ValuesIn(every_planted)),
                         name_of_planting);
INSTANTIATE_TEST_SUITE_P(Node24, Planting,
                         testing::Combine(testing::Values("24"), testing::ValuesIn(every_planted)),
                         name_of_planting);

TEST_F(HeapLeak, TypeScriptIsNamedAsItWasWritten) {
  const TemporaryDirectory project;
  const fs::path servers = SOURCE_DIR "/tests/e2e/servers";
  fs::create_directories(project.path() / "src");
  fs::copy_file(servers / "heap/typed.ts", project.path() / "src/typed.ts");
  fs::copy_file(servers / "listen.js", project.path() / "listen.js");
  Process compiler({node_of("20"), SOURCE_DIR "/tests/packages/node_modules/typescript/lib/tsc.js",
                    "--target", "es2022", "--module", "commonjs", "--sourceMap", "--noCheck",
                    "--outDir", project.file("dist"), project.file("src/typed.ts")});
  compiler.wait(std::chrono::seconds(60));
  ASSERT_TRUE(fs::exists(project.path() / "dist/typed.js.map")) << compiler.out();

  const Server server = Server::node(project.file("dist/typed.js"));
  measure(server, {"--source", project.file("src"), "--source", project.file("listen.js")});
  expect_named({"typed", "matchSubscribers", "Subscriber", "typed.ts", 14, 2000});
  EXPECT_THAT(results_["heap"]["causes"][0]["position"]["compiled"].get<std::string>(),
              HasSubstr("typed.js:"));
  const Json& finding = results_["review"]["findings"][0];
  EXPECT_EQ(finding["standing"], "confirmed") << finding.dump(1);
  EXPECT_THAT(finding["at"]["path"].get<std::string>(), testing::EndsWith("typed.ts"));
  EXPECT_EQ(finding["at"]["line"], 18);
}

TEST_F(HeapLeak, TheCleanTwinHasNoCause) {
  for (const std::string major : {"20", "24"}) {
    const Server server = Server::node("tests/e2e/servers/heap/clean.js", {}, node_of(major));
    measure(server);
    EXPECT_NE(run_.exit_code, 2) << explanation();  // six cycles may be too few to clear it
    for (const Json& cause : results_["heap"]["causes"])
      EXPECT_TRUE(cause["bounded"].get<bool>()) << explanation();
  }
}

TEST_F(HeapLeak, WithoutTheInspectorTheCensusStillDecides) {
  const Server server = Server::node("tests/e2e/servers/heap/map-of-sockets.js");
  measure(server, {"--no-inspector"});
  expect_named(every_planted.front());
}

class CensusAlone : public HeapLeak, public testing::WithParamInterface<std::string> {};

// Its sessions are 67 KB each: one that only free memory's old words refer to would show.
TEST_P(CensusAlone, ClearsAServerWhoseGarbageIsNotCollected) {
  const Server clean = Server::node("examples/clean-server.js", {}, node_of(GetParam()));
  message_ = R"({"type":"subscribe","matchId":1})";
  measure_until_sure(clean, {"--no-inspector"});
  EXPECT_EQ(run_.exit_code, 0) << explanation();
  const Json& judgements = results_["judgements"];
  const auto live = std::ranges::find_if(
      judgements, [](const Json& judgement) { return judgement["of"] == "heap_live"; });
  ASSERT_NE(live, judgements.end());
  EXPECT_TRUE((*live)["decisive"].get<bool>());
  EXPECT_LT((*live)["interval_high_bytes"].get<double>(), 60) << explanation();
  EXPECT_GT((*live)["interval_low_bytes"].get<double>(), -200) << explanation();
}

INSTANTIATE_TEST_SUITE_P(Node, CensusAlone, testing::Values("18", "20", "22", "24", "26"),
                         [](const auto& major) { return major.param; });

TEST_F(HeapLeak, SnapshotsOnRequestVoidTheMemoryReadAfterThem) {
  const Server server = Server::node("tests/e2e/servers/heap/map-of-sockets.js");
  measure(server, {"--snapshot"});
  EXPECT_EQ(run_.exit_code, 2) << explanation();
  int files = 0;
  for (const auto& name : output_.names()) files += name.ends_with(".heapsnapshot") ? 1 : 0;
  EXPECT_EQ(files, 3);
  for (const Json& judgement : results_["judgements"]) {
    if (judgement["of"] == "rss") EXPECT_LE(judgement["points"], 2) << judgement;
  }
}

}  // namespace
}  // namespace ebbtide
