// `ebbtide connections` against servers that meet a known limit at a known level.
#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <fstream>

#include "tests/e2e/own_network.h"
#include "tests/e2e/server.h"
#include "tests/e2e/tool.h"
#include "tests/temporary_directory.h"

namespace ebbtide {
namespace {

using Json = nlohmann::json;
using namespace std::chrono_literals;
using testing::AnyOf;
using testing::HasSubstr;

class Connections : public testing::Test {
 protected:
  static void SetUpTestSuite() { ASSERT_TRUE(enter_own_network()) << "needs root"; }

  void measure(const std::string& url, const std::vector<std::string>& more) {
    std::vector<std::string> arguments = {"connections", url,  "--hold",
                                          "0.2",         "-o", output_.path().string()};
    arguments.insert(arguments.end(), more.begin(), more.end());
    run_ = ebbtide(arguments);
    results_ = json_in(output_.path() / "results-connections.json");
    report_ = contents_of(output_.path() / "06-03-websocket-profile.md");
  }

  // The levels of a server with something planted, each connection subscribed.
  void measure_planted(const std::map<std::string, std::string>& planted,
                       std::vector<std::string> more) {
    const Server server = Server::node("tests/e2e/servers/under-load.js", planted);
    more.insert(more.end(), {"--send", R"({"type":"subscribe"})", "--expect", "subscribed"});
    measure(server.url("ws"), more);
  }

  Json level(std::size_t index) const { return results_["levels"].at(index); }

  Json cost_of(const std::string& subject) const {
    for (const Json& cost : results_["cost_of_one_connection"]) {
      if (cost["of"] == subject) return cost;
    }
    ADD_FAILURE() << "no cost of " << subject;
    return Json();
  }

  std::string explanation() const {
    return results_.value("sentence", "") + "\n" + run_.out + run_.err;
  }

  TemporaryDirectory output_;
  ToolRun run_;
  Json results_;
  std::string report_;
};

TEST_F(Connections, WhatOneTakesIsFoundByTheSlope) {
  measure_planted({{"KEEP_BYTES", "262144"}}, {"--levels", "20,60,120,200"});
  EXPECT_EQ(run_.exit_code, 0) << explanation();
  EXPECT_EQ(results_["limit"]["cause"], "none") << explanation();
  EXPECT_EQ(results_["connections_held"], 200);
  const double rss = cost_of("RSS")["per_connection_bytes"];
  EXPECT_GT(rss, 0.8 * 262144) << explanation();
  EXPECT_LT(rss, 1.5 * 262144) << explanation();
  const double heap = cost_of("V8 heap and Buffers reachable")["per_connection_bytes"];
  EXPECT_GT(heap, 0.95 * 262144) << explanation();
  EXPECT_LT(heap, 1.2 * 262144) << explanation();
  EXPECT_LT(cost_of("V8 heap reachable")["per_connection_bytes"], 20'000) << explanation();
  for (std::size_t i = 0; i < 4; ++i) {
    EXPECT_EQ(level(i)["established"], level(i)["attempted"]);
    EXPECT_EQ(level(i)["upgrade"]["count"], level(i)["attempted"]);
    EXPECT_EQ(level(i)["first_answer"]["count"], level(i)["attempted"]);
  }
  EXPECT_THAT(run_.out, testing::StartsWith("200 connections held; no limit reached."));
}

TEST_F(Connections, AnApplicationThatRefusesIsNoFailureOfTheServer) {
  measure_planted({{"REFUSE_OVER", "50"}}, {"--levels", "20,100"});
  EXPECT_EQ(results_["limit"]["cause"], "refusal") << explanation();
  EXPECT_EQ(results_["connections_held"], 20);
  EXPECT_EQ(level(1)["established"], 50);
  EXPECT_EQ(level(1)["failures"][0]["count"], 50);
  EXPECT_EQ(level(1)["failures"][0]["origin"], "refusal");
  EXPECT_THAT(std::string(results_["limit"]["reason"]), HasSubstr("429"));
}

TEST_F(Connections, ACloseThatAsksToTryLaterIsARefusal) {
  measure_planted({{"CLOSE_OVER", "50"}}, {"--levels", "20,100"});
  EXPECT_EQ(results_["limit"]["cause"], "refusal") << explanation();
  EXPECT_EQ(results_["connections_held"], 20);
  EXPECT_THAT(std::string(results_["limit"]["reason"]), HasSubstr("1013"));
}

TEST_F(Connections, AStallIsFoundWithItsLengthAndTime) {
  measure_planted({{"BLOCK_ON", "60"}}, {"--levels", "20,100"});
  EXPECT_THAT(run_.out, AnyOf(HasSubstr("stood still"), HasSubstr("event loop is busy")));
  const Json loop = level(1)["event_loop"]["open"];
  EXPECT_GE(loop["longest_turn_seconds"], 0.3) << explanation();
  EXPECT_LT(loop["longest_turn_seconds"], 0.6) << explanation();
  const double opened_in = level(1)["establish_seconds"];
  EXPECT_LT(loop["longest_turn_at_seconds"], opened_in) << explanation();
  EXPECT_GE(level(1)["to_established"]["max_seconds"], 0.29) << explanation();
  EXPECT_LT(level(0)["event_loop"]["open"]["longest_turn_seconds"], 0.29) << explanation();
}

TEST_F(Connections, AServerThatDiesLeavesTheLevelsBeforeIt) {
  measure_planted({{"EXIT_ON", "120"}}, {"--levels", "10,30,100,200,300"});
  EXPECT_EQ(run_.exit_code, 3) << explanation();
  EXPECT_EQ(results_["limit"]["cause"], "target_died") << explanation();
  EXPECT_EQ(results_["connections_held"], 30);
  ASSERT_EQ(results_["levels"].size(), 3U) << explanation();
  EXPECT_TRUE(level(1)["finished"]);
  EXPECT_FALSE(level(2)["finished"]);
  EXPECT_THAT(report_, HasSubstr("exit code 7"));
}

// A key with a certificate for 127.0.0.1 that it signed itself, in one file.
std::string self_signed(const TemporaryDirectory& directory) {
  const std::string key = directory.file("key.pem");
  const std::string certificate = directory.file("certificate.pem");
  Process openssl({"openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt",
                   "ec_paramgen_curve:prime256v1", "-nodes", "-days", "2", "-subj", "/CN=test",
                   "-addext", "subjectAltName=IP:127.0.0.1", "-keyout", key, "-out", certificate});
  EXPECT_TRUE(openssl.wait(20s));
  EXPECT_EQ(openssl.exit_code(), 0) << openssl.err();
  std::ofstream(certificate, std::ios::app) << contents_of(key);
  return certificate;
}

TEST_F(Connections, ATlsServerIsMeasuredWhenItsCertificateIsTrusted) {
  TemporaryDirectory directory;
  const std::string pem = self_signed(directory);
  const Server server = Server::node("tests/e2e/servers/under-load.js", {{"CERTIFICATE", pem}});
  for (const auto& trust : std::vector<std::vector<std::string>>{{"--ca", pem}, {"--insecure"}}) {
    std::vector<std::string> more = {"--levels", "5,10",      "--send", R"({"type":"subscribe"})",
                                     "--expect", "subscribed"};
    more.insert(more.end(), trust.begin(), trust.end());
    measure(server.url("wss"), more);
    EXPECT_EQ(run_.exit_code, 0) << explanation();
    EXPECT_EQ(results_["connections_held"], 10) << explanation();
    EXPECT_EQ(level(1)["tls"]["count"], 10) << explanation();
    EXPECT_GT(level(1)["tls"]["p50_seconds"], 0.0);
    EXPECT_THAT(report_, HasSubstr("| TLS"));
  }
  const ToolRun refused =
      ebbtide({"connections", server.url("wss"), "--levels", "5", "-o", directory.file("refused")});
  EXPECT_EQ(refused.exit_code, 1) << refused.out;
  EXPECT_THAT(refused.err, HasSubstr("self-signed: --ca FILE or --insecure"));
}

TEST_F(Connections, AResetReachesTheServerAsOne) {
  Server server = Server::node("tests/e2e/servers/under-load.js", {{"SAY_ENDS", "1"}});
  measure(server.url("ws"), {"--levels", "10,20", "--close", "rst"});
  EXPECT_EQ(run_.exit_code, 0) << explanation();
  EXPECT_EQ(level(1)["established"], 20) << explanation();
  std::size_t resets = 0;
  const bool all = server.process().read_until(
      [&](const std::string& out) {
        resets = 0;
        for (std::size_t at = 0; (at = out.find("closed 1006\n", at)) != std::string::npos; at++)
          resets++;
        return resets >= 30;
      },
      10s);
  EXPECT_TRUE(all) << resets << " of 30\n" << server.process().out();
}

TEST_F(Connections, ABurstOverflowsASmallBacklog) {
  measure_planted({{"BACKLOG", "2"}, {"SLOW_ACCEPT_MS", "10"}},
                  {"--levels", "5,40", "--burst", "--timeout", "3"});
  EXPECT_EQ(results_["limit"]["cause"], "backlog") << explanation();
  EXPECT_GT(level(1)["listen_overflows"], 0) << explanation();
}

TEST_F(Connections, AScheduleDoesNotForgiveAStall) {
  // 100 per second: while the loop stands for 300 ms, some 30 are due that cannot be answered.
  measure_planted({{"BLOCK_ON", "60"}}, {"--levels", "100", "--rate", "100", "--window", "1000"});
  EXPECT_TRUE(level(0)["scheduled"]) << explanation();
  EXPECT_GE(level(0)["to_established"]["p90_seconds"], 0.05) << explanation();
  EXPECT_GE(level(0)["establish_seconds"], 0.95) << explanation();
}

TEST_F(Connections, NginxHoldsTenThousand) {
  TemporaryDirectory directory;
  const Server server = Server::nginx(directory.path());
  measure(server.url("http"), {"--levels", "100,1000,10000"});
  EXPECT_EQ(run_.exit_code, 0) << explanation();
  EXPECT_EQ(results_["connections_held"], 10000) << explanation();
  EXPECT_EQ(level(2)["established"], 10000);
  EXPECT_EQ(level(2)["growth"].back()["of"], "file descriptors");
  EXPECT_GE(level(2)["growth"].back()["held_over_floor_count"], 10000);
  EXPECT_GT(cost_of("RSS")["per_connection_bytes"], 100) << explanation();
  EXPECT_LT(cost_of("RSS")["per_connection_bytes"], 4096) << explanation();
}

TEST_F(Connections, ReportMakesTheSameBytesFromTheRecording) {
  measure_planted({}, {"--levels", "5,10"});
  TemporaryDirectory again;
  const ToolRun report = ebbtide(
      {"report", (output_.path() / "connections.ebbtide").string(), "-o", again.path().string()});
  EXPECT_EQ(report.exit_code, 0) << report.err;
  EXPECT_EQ(contents_of(again.path() / "06-03-websocket-profile.md"), report_);
}

TEST_F(Connections, TooManyForThisProcessIsSaidBeforeTheFirst) {
  const Server server = Server::node("tests/e2e/servers/under-load.js");
  const ToolRun run = ebbtide(
      {"connections", server.url("ws"), "--levels", "10,40000", "-o", output_.path().string()}, {},
      {"prlimit", "--nofile=1000"});
  EXPECT_EQ(run.exit_code, 1) << run.out << run.err;
  EXPECT_THAT(run.err, HasSubstr("40000 connections at once"));
  EXPECT_THAT(run.err, HasSubstr("prlimit"));
  EXPECT_FALSE(std::filesystem::exists(output_.path() / "connections.ebbtide"));
}

TEST_F(Connections, LevelsOutOfRangeAreWrongUsage) {
  for (const char* levels : {"0", "10,x", "50001", ""}) {
    EXPECT_EQ(ebbtide({"connections", "ws://127.0.0.1:1/", "--levels", levels}).exit_code, 64)
        << levels;
  }
  for (const char* mode : {"early", "abort-handshake", "wrong-path"}) {
    EXPECT_EQ(ebbtide({"connections", "ws://127.0.0.1:1/", "--close", mode}).exit_code, 64) << mode;
  }
}

}  // namespace
}  // namespace ebbtide
