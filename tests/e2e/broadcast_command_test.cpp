// `ebbtide broadcast` against a server whose losses, copies and delays are planted.
#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/e2e/own_network.h"
#include "tests/e2e/server.h"
#include "tests/e2e/tool.h"
#include "tests/temporary_directory.h"

namespace ebbtide {
namespace {

using Json = nlohmann::json;
using testing::HasSubstr;

class Broadcasts : public testing::Test {
 protected:
  static void SetUpTestSuite() { ASSERT_TRUE(enter_own_network()) << "needs root"; }

  // 21 clients, 60 triggers in 1.2 s.
  void measure(const std::map<std::string, std::string>& planted,
               const std::vector<std::string>& more = {}) {
    const Server server = Server::node("tests/e2e/servers/broadcasts.js", planted);
    std::vector<std::string> arguments = {
        "broadcast", server.url("ws"),
        "--send",    R"({"type":"subscribe","matchId":1})",
        "--expect",  "subscribed",
        "--clients", "21",
        "--count",   "60",
        "--rate",    "50",
        "--trigger", fmt::format("POST http://127.0.0.1:{}/matches/1/commentary", server.port()),
        "--body",    R"({"minute":1,"text":"{token}"})",
        "-o",        output_.path().string()};
    arguments.insert(arguments.end(), more.begin(), more.end());
    run_ = ebbtide(arguments);
    results_ = json_in(output_.path() / "results-broadcast.json");
    report_ = contents_of(output_.path() / "06-03-broadcast-profile.md");
  }

  Json count(const char* of) const { return results_["deliveries"][of]; }
  double latency(const char* of, const char* quantile) const {
    return results_["latency"][of].value(quantile, -1.0);
  }
  std::string explanation() const {
    return results_.value("sentence", "") + "\n" + run_.out + run_.err;
  }

  TemporaryDirectory output_;
  ToolRun run_;
  Json results_;
  std::string report_;
};

TEST_F(Broadcasts, EveryMessageReachesEveryClientOnce) {
  measure({});
  EXPECT_EQ(run_.exit_code, 0) << explanation();
  EXPECT_EQ(results_["clients"]["subscribed"], 21);
  EXPECT_EQ(count("triggers"), 60);
  EXPECT_EQ(count("expected"), 21 * 60);
  EXPECT_EQ(count("delivered"), 21 * 60) << explanation();
  EXPECT_EQ(count("lost"), 0);
  EXPECT_EQ(count("copies"), 0);
  EXPECT_EQ(results_["latency"]["delivery"]["count"], 21 * 60);
  EXPECT_GT(results_["cpu_user_per_delivery_seconds"], 0.0);
  EXPECT_THAT(run_.out, testing::StartsWith("All 1,260 expected messages were delivered"));
}

TEST_F(Broadcasts, LossesAndCopiesAreCounted) {
  measure({{"SKIP_EVERY", "7"}, {"TWICE_EVERY", "10"}});
  EXPECT_EQ(count("expected"), 21 * 60);
  EXPECT_EQ(count("lost"), 3 * 60) << explanation();
  EXPECT_EQ(count("delivered"), 18 * 60) << explanation();
  EXPECT_EQ(count("copies"), 18 * 6) << explanation();
}

TEST_F(Broadcasts, ADelayIsTheLatency) {
  measure({{"DELAY_MS", "80"}});
  EXPECT_GE(latency("delivery", "p50_seconds"), 0.080) << explanation();
  EXPECT_LE(latency("delivery", "p50_seconds"), latency("trigger_answer", "max_seconds"))
      << explanation();
  EXPECT_GE(latency("trigger_answer", "p50_seconds"), 0.079) << explanation();
  EXPECT_LT(latency("first_to_last_client", "p50_seconds"), 0.050) << explanation();
}

TEST_F(Broadcasts, QuantilesAreThoseOfTheDelays) {
  measure({{"DELAY_MS", "20"}, {"LATE_EVERY", "10"}, {"LATE_MS", "400"}}, {"--concurrency", "60"});
  EXPECT_EQ(count("delivered"), 21 * 60) << explanation();
  EXPECT_GE(latency("delivery", "p50_seconds"), 0.020) << explanation();
  EXPECT_LT(latency("delivery", "p50_seconds"), 0.400) << explanation();
  EXPECT_GE(latency("delivery", "p99_seconds"), 0.400) << explanation();
  EXPECT_GE(latency("first_client", "p99_seconds"), 0.400) << explanation();
}

TEST_F(Broadcasts, AServerThatDiesEndsTheTriggers) {
  measure({{"EXIT_AT", "5"}});
  EXPECT_EQ(run_.exit_code, 3) << explanation();
  EXPECT_GE(count("triggers"), 5) << explanation();
  EXPECT_LT(count("triggers"), 60) << "nobody is left to hear them; " << explanation();
  EXPECT_THAT(report_, HasSubstr("exit code 7"));
}

TEST_F(Broadcasts, TheDependencyThatIsWaitedForIsNamed) {
  const Server dependency = Server::node("tests/e2e/servers/dependency.js", {{"DELAY_MS", "120"}});
  measure({{"UPSTREAM", std::to_string(dependency.port())}});
  EXPECT_EQ(results_["bottleneck"]["cause"], "dependency") << explanation();
  EXPECT_THAT(run_.out, HasSubstr(fmt::format("127.0.0.1:{}", dependency.port())));
  ASSERT_EQ(results_["upstreams"].size(), 1U) << explanation();
  const Json& upstream = results_["upstreams"][0];
  EXPECT_EQ(upstream["port"], dependency.port());
  EXPECT_GE(upstream["longest_wait_seconds"], 0.119) << explanation();
}

TEST_F(Broadcasts, AStallIsFoundWithItsLength) {
  measure({{"BLOCK_AT", "30"}});
  ASSERT_FALSE(results_["stalls"].empty()) << explanation();
  EXPECT_GE(results_["stalls"][0]["seconds"], 0.3) << explanation();
  EXPECT_LT(results_["stalls"][0]["seconds"], 0.6) << explanation();
  EXPECT_GE(latency("delivery", "max_seconds"), 0.3) << explanation();
}

TEST_F(Broadcasts, TriggersThatFailAreNoLosses) {
  measure({{"STATUS", "503"}});
  EXPECT_EQ(results_["bottleneck"]["cause"], "no_trigger") << explanation();
  EXPECT_EQ(run_.exit_code, 3) << "nothing can be said of deliveries";
  EXPECT_EQ(count("triggers_well"), 0);
  EXPECT_EQ(count("lost"), 0);
  EXPECT_EQ(results_["trigger_failures"][0]["count"], 60) << explanation();
  EXPECT_THAT(run_.out, HasSubstr("503"));
}

TEST_F(Broadcasts, AServerThatHangsEndsInTime) {
  measure({{"HANG", "1"}}, {"--trigger-timeout", "0.3", "--concurrency", "60"});
  EXPECT_EQ(count("triggers_well"), 0) << explanation();
  EXPECT_THAT(run_.out, HasSubstr("no answer in 300 ms"));
}

TEST_F(Broadcasts, MessagesWithoutTheTokenAreShown) {
  measure({{"ANONYMOUS", "1"}});
  EXPECT_EQ(run_.exit_code, 3) << explanation();
  EXPECT_EQ(count("delivered"), 0);
  EXPECT_EQ(results_["unmatched"]["count"], 21 * 60) << explanation();
  EXPECT_THAT(std::string(results_["unmatched"]["sample"]), HasSubstr("something happened"));
  EXPECT_THAT(run_.out, HasSubstr("something happened"));
}

TEST_F(Broadcasts, MemoryThatGrowsForSlowReadersIsSaid) {
  measure({{"PAD", "200000"}}, {"--slow-clients", "5"});
  EXPECT_EQ(count("expected"), 16 * 60) << explanation();
  EXPECT_EQ(count("lost"), 0) << explanation();
  ASSERT_TRUE(results_["slow_readers"].is_object()) << explanation();
  EXPECT_EQ(results_["slow_readers"]["clients"], 5);
  EXPECT_TRUE(results_["slow_readers"]["memory_grows"]) << results_["slow_readers"].dump(1);
  EXPECT_GT(results_["send_queue_growth_bytes"], 100'000) << explanation();
}

TEST_F(Broadcasts, AMessageOfAClientCanBeTheTrigger) {
  const Server server = Server::node("tests/e2e/servers/echoes-to-all.js");
  run_ = ebbtide({"broadcast", server.url("ws"), "--clients", "5", "--count", "20", "--rate", "40",
                  "--trigger", server.url("ws"), "--body", R"({"say":"{token}"})", "-o",
                  output_.path().string()});
  results_ = json_in(output_.path() / "results-broadcast.json");
  EXPECT_EQ(run_.exit_code, 0) << explanation();
  EXPECT_EQ(count("expected"), 5 * 20) << explanation();
  EXPECT_EQ(count("delivered"), 5 * 20) << explanation();
}

TEST_F(Broadcasts, WhatCannotBeMeasuredIsWrongUsage) {
  const std::vector<std::vector<std::string>> wrong = {
      {"broadcast", "ws://127.0.0.1:1/"},                                         // no trigger
      {"broadcast", "ws://127.0.0.1:1/", "--trigger", "POST http://127.0.0.1/"},  // no token
      {"broadcast", "http://127.0.0.1:1/", "--trigger", "http://127.0.0.1/{token}"},
      {"broadcast", "ws://127.0.0.1:1/", "--trigger", "http://127.0.0.1/{token}", "--clients", "5",
       "--slow-clients", "5"},
  };
  for (const auto& arguments : wrong) {
    const ToolRun run = ebbtide(arguments);
    EXPECT_EQ(run.exit_code, 64) << arguments.back() << run.err;
  }
}

}  // namespace
}  // namespace ebbtide
