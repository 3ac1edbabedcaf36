// The verdict on real servers whose truth is known. EBBTIDE_RUNS says how often each is judged (2
// when it is not set); the table at the end counts what came of it.
#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cstdlib>
#include <map>
#include <optional>

#include "tests/e2e/own_network.h"
#include "tests/e2e/server.h"
#include "tests/e2e/tool.h"
#include "tests/temporary_directory.h"

namespace ebbtide {
namespace {

struct Truth {
  std::string plant;
  bool leaks = false;
  std::string close = "clean";
  std::string said = "";  // what the first sentence says of a leak
  std::vector<std::string> more = {};
};

// How often each verdict came, by plant.
std::map<std::string, std::map<std::string, int>>& counts() {
  static std::map<std::string, std::map<std::string, int>> table;
  return table;
}

class PrintTable : public testing::Environment {
 public:
  void TearDown() override {
    fmt::print("{:<14}{:>6}{:>12}{:>9}{:>14}\n", "server", "LEAK", "SATURATING", "NO LEAK",
               "INCONCLUSIVE");
    for (auto& [plant, by_verdict] : counts()) {
      fmt::print("{:<14}{:>6}{:>12}{:>9}{:>14}\n", plant, by_verdict["leak"],
                 by_verdict["saturating"], by_verdict["no_leak"], by_verdict["inconclusive"]);
    }
  }
};

const auto* const print_table = testing::AddGlobalTestEnvironment(new PrintTable);

int runs() {
  const char* text = std::getenv("EBBTIDE_RUNS");
  return text == nullptr ? 2 : std::atoi(text);
}

class Verdicts : public testing::TestWithParam<Truth> {
 protected:
  static void SetUpTestSuite() { ASSERT_TRUE(enter_own_network()) << "needs root"; }

  void judge(const Truth& truth) {
    const Server upstream = Server::node("tests/e2e/servers/upstream.js");
    const Server server =
        Server::node("tests/e2e/servers/verdicts.js",
                     {{"PLANT", truth.plant}, {"UPSTREAM", std::to_string(upstream.port())}});
    TemporaryDirectory output;
    std::vector<std::string> arguments = {"leak",     server.url("ws"),      "--send",  "hello",
                                          "--expect", "subscribed",          "--close", truth.close,
                                          "-o",       output.path().string()};
    arguments.insert(arguments.end(), truth.more.begin(), truth.more.end());
    const ToolRun run = ebbtide(arguments);
    const std::string verdict = results_in(output.path()).value("verdict", "none");
    ++counts()[truth.plant][verdict];
    // The wrong one is never right; not to decide is a miss that the table shows.
    EXPECT_NE(verdict, "none") << run.out << run.err;
    if (truth.leaks) {
      EXPECT_THAT(verdict, testing::AnyOf("leak", "inconclusive")) << run.out;
      if (verdict == "leak") {
        EXPECT_THAT(run.out.substr(0, run.out.find('\n')), testing::HasSubstr(truth.said));
      }
    } else {
      EXPECT_NE(verdict, "leak") << run.out;
    }
  }
};

TEST_P(Verdicts, AreNeverWrong) {
  for (int i = 0; i < runs(); ++i) judge(GetParam());
  const int undecided = counts()[GetParam().plant]["inconclusive"];
  if (runs() >= 20) {
    EXPECT_LE(undecided, runs() / 20);
  }
}

std::string plant_of(const testing::TestParamInfo<Truth>& info) { return info.param.plant; }

INSTANTIATE_TEST_SUITE_P(Leaks, Verdicts,
                         testing::Values(Truth{"heap_64", true}, Truth{"heap_1k", true},
                                         Truth{"heap_16k", true}, Truth{"every_10th", true},
                                         Truth{"buffers_16k", true}, Truth{"native", true},
                                         Truth{"fds", true}),
                         plant_of);
INSTANTIATE_TEST_SUITE_P(Clean, Verdicts,
                         testing::Values(Truth{"plain", false}, Truth{"lru_200", false},
                                         Truth{"lru_5000", false}, Truth{"metrics_ring", false},
                                         Truth{"lazy_growth", false}, Truth{"pool_of_20", false},
                                         Truth{"fragments", false},
                                         Truth{"deflate", false, "clean", "", {"--deflate"}}),
                         plant_of);
INSTANTIATE_TEST_SUITE_P(
    Ends, Verdicts,
    testing::Values(
        Truth{"close_wait", true, "fin", "in CLOSE_WAIT"},
        Truth{"only_rst", true, "clean,fin,rst,wrong-path",
              "LEAK: only when a connection is reset: each leaves 1.00 Array behind (0 → 30 → 60 "
              "→ 90 by the end of each cycle)"},
        Truth{"only_wrong_path", true, "all",
              "LEAK: only when a connection asks for a wrong path: each leaves 1.00 accepted "
              "sockets behind (90 alive at the end of the run, from 90 connections in 3 cycles)"}),
    plant_of);

}  // namespace
}  // namespace ebbtide
