// Native memory of real servers whose truth is known: a leak of malloc's blocks is found, and what
// an allocator keeps is none.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>

#include "tests/e2e/own_network.h"
#include "tests/e2e/server.h"
#include "tests/e2e/tool.h"
#include "tests/temporary_directory.h"

namespace ebbtide {
namespace {

using testing::AnyOf;
using testing::HasSubstr;
using Json = nlohmann::json;

class NativeMemory : public testing::Test {
 protected:
  static void SetUpTestSuite() { ASSERT_TRUE(enter_own_network()) << "needs root"; }

  void measure(const std::string& url, const std::string& answer) {
    run_ = ebbtide({"leak", url, "--send", "hello", "--expect", answer, "--close", "clean",
                    "--cool-down", "2", "-o", output_.path().string()});
    results_ = results_in(output_.path());
    verdict_ = results_.value("verdict", "none");
    sentence_ = results_.value("sentence", "");
  }

  // tests/e2e/servers/native.cpp
  void measure_native(const std::string& plant, const ProcessOptions& options = {}) {
    const Server server = Server::program({BINARY_DIR "/planted_native_server", plant}, options);
    measure(server.url("tcp"), "hello");
  }

  void measure_python(const std::string& plant) {
    const Server server =
        Server::program({"/usr/bin/python3", SOURCE_DIR "/tests/e2e/servers/native.py", plant});
    measure(server.url("tcp"), "hello");
  }

  void measure_node(const std::string& plant) {
    const Server server = Server::node("tests/e2e/servers/verdicts.js", {{"PLANT", plant}});
    measure(server.url("ws"), "subscribed");
  }

  // Growth of the first judgement on the gauge, in bytes per connection.
  double grown_per_connection(const std::string& gauge) const {
    for (const Json& row : results_["judgements"]) {
      if (row["of"] == gauge) return row.value("per_connection_bytes", 0.0);
    }
    ADD_FAILURE() << "no judgement on " << gauge;
    return 0;
  }
  // Where most of what the allocator keeps lies.
  std::string kept_in() const {
    const Json parts = results_.value(Json::json_pointer("/retention/parts"), Json::array());
    return parts.empty() ? "nowhere" : parts[0].value("in", "");
  }
  // How much a level grew from the first settle point to the last.
  std::int64_t grown(const std::string& gauge) const {
    const auto level = [&](const Json& cycle) {
      return cycle["gauges"][gauge]["settled"].get<std::int64_t>();
    };
    return level(results_["cycles"].back()) - level(results_["cycles"].front());
  }

  TemporaryDirectory output_;
  ToolRun run_;
  Json results_;
  std::string verdict_;
  std::string sentence_;
};

constexpr std::int64_t megabyte = 1 << 20;

TEST_F(NativeMemory, OfACleanServerComesBack) {
  measure_native("clean");
  EXPECT_EQ(verdict_, "no_leak") << run_.out;
  EXPECT_LT(std::abs(grown_per_connection("malloc_in_use")), 100);
}

TEST_F(NativeMemory, AKilobyteOfMallocPerConnectionIsALeak) {
  measure_native("leak_1k");
  EXPECT_EQ(verdict_, "leak") << run_.out;
  EXPECT_THAT(sentence_, HasSubstr("KB of native memory (malloc)"));
  EXPECT_NEAR(grown_per_connection("malloc_in_use"), 1040, 100);
}

TEST_F(NativeMemory, OfAnAddonOfNodeIsFoundToo) {
  const Server server = Server::node("tests/e2e/servers/native-addon.js",
                                     {{"ADDON", BINARY_DIR "/planted_addon.node"}});
  measure(server.url("ws"), "subscribed");
  EXPECT_EQ(verdict_, "leak") << run_.out;
  EXPECT_THAT(sentence_, HasSubstr("KB of native memory (malloc)"));
  EXPECT_NEAR(grown_per_connection("malloc_in_use"), 1040, 150);
}

TEST_F(NativeMemory, OfZlibInNodeIsFoundToo) {
  measure_node("native");
  EXPECT_EQ(verdict_, "leak") << run_.out;
  EXPECT_GT(grown_per_connection("malloc_in_use"), 500);
}

TEST_F(NativeMemory, OfPythonIsFoundBelowItsObjects) {
  measure_python("clean");
  EXPECT_EQ(verdict_, "no_leak") << run_.out;
  measure_python("leak_malloc");
  EXPECT_EQ(verdict_, "leak") << run_.out;
  EXPECT_NEAR(grown_per_connection("malloc_in_use"), 1040, 150);
}

TEST_F(NativeMemory, ObjectsOfPythonLieBesideMalloc) {
  measure_python("leak_objects");
  EXPECT_EQ(verdict_, "leak") << run_.out;
  EXPECT_THAT(sentence_, HasSubstr("anonymous memory beside malloc"));
}

TEST_F(NativeMemory, PiecesThatCannotBeGivenBackAreNoLeak) {
  measure_native("fragments");
  EXPECT_EQ(verdict_, "no_leak") << run_.out;
  EXPECT_EQ(kept_in(), "pieces") << run_.out;
  EXPECT_GT(grown("anon_bytes"), 20 * megabyte);
}

TEST_F(NativeMemory, PiecesInNodeAreNoLeakEither) {
  measure_node("fragments");
  // Its Buffers are bounded by their number, not by their bytes.
  EXPECT_THAT(verdict_, AnyOf("no_leak", "saturating", "inconclusive")) << run_.out;
  EXPECT_EQ(kept_in(), "pieces") << run_.out;
  EXPECT_GT(grown("anon_bytes"), 20 * megabyte);
}

TEST_F(NativeMemory, ArenasOfThreadsThatIdleAreNoLeak) {
  measure_native("threads");
  EXPECT_EQ(verdict_, "no_leak") << run_.out;
  EXPECT_EQ(kept_in(), "thread_arenas") << run_.out;
  EXPECT_THAT(run_.out, HasSubstr("that nothing uses, which is no leak"));
  EXPECT_THAT(contents_of(output_.path() / "06-03-memory-analysis.md"),
              HasSubstr("Set `MALLOC_ARENA_MAX=2`"));
  EXPECT_GT(grown("anon_bytes"), 20 * megabyte);
}

TEST_F(NativeMemory, AnotherAllocatorIsNamedAndALeakSaysWhatItRestsOn) {
  const std::string library = "/usr/lib/x86_64-linux-gnu/libjemalloc.so.2";
  if (!std::filesystem::exists(library)) GTEST_SKIP() << library << " is not installed";
  measure_native("leak_16k", {{{"LD_PRELOAD", library}}, 0});
  EXPECT_EQ(verdict_, "leak") << run_.out;
  EXPECT_THAT(sentence_, HasSubstr("resident memory alone says so"));
  EXPECT_THAT(contents_of(output_.path() / "06-03-memory-analysis.md"), HasSubstr("jemalloc"));
}

}  // namespace
}  // namespace ebbtide
