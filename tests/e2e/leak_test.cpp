// Real servers with a known truth: the verdict is asserted, and what was planted, within 20 %.
#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/e2e/own_network.h"
#include "tests/e2e/process.h"
#include "tests/e2e/server.h"
#include "tests/e2e/tool.h"
#include "tests/temporary_directory.h"

namespace ebbtide {
namespace {

using Json = nlohmann::json;

class Leak : public testing::Test {
 protected:
  static void SetUpTestSuite() { ASSERT_TRUE(enter_own_network()) << "needs root"; }

  // Ten cycles of a hundred connections that subscribe, and `more` on the command line.
  void measure(const std::string& url, const std::vector<std::string>& more = {}) {
    std::vector<std::string> arguments = {"leak",     url,
                                          "--send",   R"({"type":"subscribe","matchId":1})",
                                          "--expect", "subscribed",
                                          "--hold",   "0.1",
                                          "--cycles", "10",
                                          "--close",  "clean",
                                          "-o",       output_.path().string()};
    arguments.insert(arguments.end(), more.begin(), more.end());
    run_ = ebbtide(arguments);
    results_ = results_in(output_.path());
  }

  // The first judgement on a gauge or resource kind by its stored name.
  Json judgement(const std::string& of, const std::string& evidence = "gauge") const {
    for (const Json& row : results_["judgements"]) {
      if (row["of"] == of && row["evidence"] == evidence) return row;
    }
    ADD_FAILURE() << "no judgement on " << of;
    return Json();
  }

  void expect_verdict(const std::string& verdict, int exit_code) {
    EXPECT_EQ(results_.value("verdict", ""), verdict) << explanation();
    EXPECT_EQ(run_.exit_code, exit_code) << explanation();
  }

  static void expect_within_20_percent(double value, double planted) {
    EXPECT_GE(value, 0.8 * planted);
    EXPECT_LE(value, 1.2 * planted);
  }

  std::string explanation() const {
    return results_.value("sentence", "") + "\n" + run_.out + run_.err +
           results_.value("judgements", Json()).dump(1);
  }

  TemporaryDirectory output_;
  ToolRun run_;
  Json results_;
};

TEST_F(Leak, ACleanServerDoesNotLeak) {
  const Server server = Server::node("tests/e2e/servers/clean.js");
  measure(server.url("ws"));
  expect_verdict("no_leak", 0);
  EXPECT_EQ(results_["connections_established"], 998);  // primes
}

TEST_F(Leak, AMapThatKeepsEverySocket) {
  const Server server = Server::node("tests/e2e/servers/keeps-sockets.js");
  measure(server.url("ws"));
  expect_verdict("leak", 2);
  expect_within_20_percent(judgement("heap_used")["per_connection_bytes"], 65536);
}

TEST_F(Leak, FileDescriptorsThatAreNeverClosed) {
  const Server server = Server::node("tests/e2e/servers/keeps-fds.js");
  measure(server.url("tcp"), {"--settle-cap", "1"});  // they never settle
  expect_verdict("leak", 2);
  expect_within_20_percent(judgement("fds")["per_connection_count"], 1);
}

TEST_F(Leak, BuffersOutsideTheHeap) {
  const Server server = Server::node("tests/e2e/servers/keeps-buffers.js");
  measure(server.url("ws"));
  expect_verdict("leak", 2);
  expect_within_20_percent(judgement("array_buffers")["per_connection_bytes"], 16384);
}

TEST_F(Leak, AnOutgoingConnectionForEachConnection) {
  const Server upstream = Server::node("tests/e2e/servers/upstream.js");
  const Server server = Server::node("tests/e2e/servers/keeps-upstream.js",
                                     {{"UPSTREAM", std::to_string(upstream.port())}});
  measure(server.url("ws"));
  expect_verdict("leak", 2);
  expect_within_20_percent(judgement("sockets_outgoing")["per_connection_count"], 1);
  expect_within_20_percent(judgement("fds")["per_connection_count"], 1);
}

TEST_F(Leak, ACacheThatFillsUpSaturates) {
  const Server server = Server::node("tests/e2e/servers/fills-a-cache.js");
  measure(server.url("ws"));
  expect_verdict("saturating", 0);
}

TEST_F(Leak, GrowthByTheClockIsDriftAndNoLeak) {
  const Server server = Server::node("tests/e2e/servers/grows-by-the-clock.js");
  measure(server.url("ws"));
  expect_verdict("no_leak", 0);
  expect_within_20_percent(judgement("external")["drift_per_second_bytes"], 10 * 2560 * 8);
}

TEST_F(Leak, NginxDoesNotLeak) {
  const TemporaryDirectory directory;
  const Server server = Server::nginx(directory.path());
  run_ = ebbtide({"leak", server.url("http"), "--expect", "hello", "--hold", "0.1", "--close",
                  "clean", "-o", output_.path().string()});
  results_ = results_in(output_.path());
  expect_verdict("no_leak", 0);
  EXPECT_EQ(results_["connections_established"], 998);  // primes
}

TEST_F(Leak, OtherClientsAreToldAndNoSurvivorsOfOurs) {
  const Server server = Server::node("tests/e2e/servers/clean.js");
  const std::string connect = fmt::format(
      "const net = require('net'); setInterval(() => net.connect({}, '127.0.0.1'), 250);",
      server.port());
  const Process client({"node", "-e", connect});
  measure(server.url("ws"));
  EXPECT_NE(results_.value("verdict", ""), "leak") << explanation();
  ASSERT_FALSE(results_["disturbances"].empty());
  const Json& others = results_["disturbances"][0];
  EXPECT_EQ(others["kind"], "other_clients");
  EXPECT_GE(others["count"], 10);
  EXPECT_GE(others["cycles"].size(), 8u);
}

TEST_F(Leak, ARecordingGivesTheSameReportAgain) {
  const Server server = Server::node("tests/e2e/servers/keeps-sockets.js");
  measure(server.url("ws"));
  const TemporaryDirectory again;
  const ToolRun report =
      ebbtide({"report", output_.file("leak.ebbtide"), "-o", again.path().string()});
  EXPECT_EQ(report.exit_code, run_.exit_code) << report.err;
  for (const char* name : {"06-03-memory-analysis.md", "results.json"}) {
    EXPECT_NE(contents_of(output_.file(name)), "");
    EXPECT_EQ(contents_of(output_.file(name)), contents_of(again.file(name))) << name;
  }
}

}  // namespace
}  // namespace ebbtide
