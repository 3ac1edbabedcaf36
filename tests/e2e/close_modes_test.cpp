// Real servers with a planted fault on one way in which connections end: found there, and only
// there.
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
using testing::StartsWith;

class CloseModesRun : public testing::Test {
 protected:
  static void SetUpTestSuite() { ASSERT_TRUE(enter_own_network()) << "needs root"; }

  void measure(const Server& server, const std::string& modes,
               const std::string& half_open_seconds = "5") {
    run_ =
        ebbtide({"leak", server.url("ws"), "--send", R"({"type":"subscribe"})", "--expect",
                 "subscribed", "--hold", "0.05", "--cycles", "5", "--connections", "53", "--close",
                 modes, "--half-open-time", half_open_seconds, "-o", output_.path().string()});
    results_ = results_in(output_.path());
  }

  Json outcome(const std::string& mode) const {
    for (const Json& row : results_["close_modes"]) {
      if (row["mode"] == mode) return row;
    }
    ADD_FAILURE() << "no row for " << mode << "\n" << explanation();
    return Json();
  }

  std::string state(const std::string& mode, const std::string& of) const {
    return outcome(mode).value(of, Json::object()).value("state", "");
  }

  // Every cell that was not in order, as "rst memory".
  std::vector<std::string> faults() const {
    std::vector<std::string> faults;
    for (const Json& row : results_["close_modes"]) {
      for (const char* of : {"sockets", "fds", "memory", "event_loop", "process"}) {
        if (row[of]["state"] == "not_ok") faults.push_back(row.value("mode", "") + " " + of);
      }
    }
    return faults;
  }

  void expect_answer(const std::string& verdict, int exit_code) const {
    EXPECT_EQ(results_.value("verdict", ""), verdict) << explanation();
    EXPECT_EQ(run_.exit_code, exit_code) << explanation();
  }

  std::string explanation() const {
    return run_.out + run_.err + results_.value("close_modes", Json()).dump(1);
  }

  TemporaryDirectory output_;
  ToolRun run_;
  Json results_;
};

TEST_F(CloseModesRun, AHealthyServerIsInOrderHoweverConnectionsEnd) {
  const Server server = Server::node("tests/e2e/servers/heartbeat.js");
  measure(server, "all");
  expect_answer("no_leak", 0);
  EXPECT_THAT(faults(), testing::IsEmpty()) << explanation();
  EXPECT_EQ(results_["close_modes"].size(), 8u);
  for (const Json& row : results_["close_modes"]) {
    EXPECT_GE(row["connections"], 29) << row.dump(1);
    for (const char* of : {"sockets", "fds", "memory", "event_loop", "process"})
      EXPECT_EQ(row[of]["state"], "ok") << row.dump(1);
  }
  // Silent between two pings: noticed by the ping after the next.
  const std::string remark = outcome("half-open")["remark"];
  EXPECT_THAT(remark, StartsWith("the server noticed after "));
  EXPECT_THAT(remark, testing::Not(HasSubstr("did not"))) << "all of them";
}

TEST_F(CloseModesRun, AServerWithoutHeartbeatDoesNotNoticeASilentClient) {
  const Server server = Server::node("tests/e2e/servers/clean.js");
  measure(server, "clean,half-open");
  expect_answer("no_leak", 0);
  EXPECT_THAT(faults(), testing::IsEmpty()) << explanation();
  EXPECT_THAT(outcome("half-open")["remark"], HasSubstr("did not notice within 5."));
}

// Pings every 3 s: silent for one ping, terminated at the next.
TEST_F(CloseModesRun, AHeartbeatThatForgetsWhomItTerminates) {
  const Server server =
      Server::node("tests/e2e/servers/heartbeat.js", {{"PERIOD", "3000"}, {"FORGETS", "1"}});
  measure(server, "clean,rst,half-open", "8");
  expect_answer("leak", 2);
  EXPECT_THAT(run_.out, StartsWith("LEAK: only when a connection goes silent: each leaves 1.00 "));
  EXPECT_THAT(run_.out, HasSubstr(" behind (0 → 29 by the end of each cycle), "));
  EXPECT_THAT(run_.out, HasSubstr("late (Map)"));
  EXPECT_THAT(faults(), testing::ElementsAre("half-open memory")) << explanation();
  const Json notice = outcome("half-open")["notice"];
  EXPECT_EQ(notice["noticed_connections"], 29);
  EXPECT_EQ(notice["unnoticed_connections"], 0);
  EXPECT_GE(notice["soonest_seconds"].get<double>(), 2.9) << "a period at least";
  EXPECT_LE(notice["latest_seconds"].get<double>(), 6.5) << "two at most";
}

TEST_F(CloseModesRun, AHeartbeatThatIsSlowerThanTheToolWaits) {
  const Server server = Server::node("tests/e2e/servers/heartbeat.js", {{"PERIOD", "3000"}});
  measure(server, "clean,half-open", "2");
  expect_answer("no_leak", 0);
  EXPECT_THAT(outcome("half-open")["remark"], HasSubstr("the server did not notice within 2.0"));
  const Json notice = outcome("half-open")["notice"];
  EXPECT_EQ(notice["unnoticed_connections"], 29);
  EXPECT_TRUE(notice["soonest_seconds"].is_null());
  EXPECT_NEAR(notice["waited_seconds"].get<double>(), 2, 0.3);
  EXPECT_EQ(state("half-open", "memory"), "ok");
}

TEST_F(CloseModesRun, AnEntryThatOnlyAResetLeaves) {
  const Server server = Server::node("tests/e2e/servers/forgets-resets.js");
  measure(server, "clean,fin,rst,wrong-path");
  expect_answer("leak", 2);
  EXPECT_THAT(run_.out, StartsWith("LEAK: only when a connection is reset: each leaves 1.00 "));
  EXPECT_THAT(run_.out, HasSubstr("sessions (Map)")) << "what keeps it";
  EXPECT_THAT(faults(), testing::ElementsAre("rst memory")) << explanation();
}

TEST_F(CloseModesRun, AFileDescriptorThatOnlyAnEarlyEndLeaves) {
  const Server server = Server::node("tests/e2e/servers/forgets-early-ends.js");
  measure(server, "clean,fin,rst,terminate,early");
  expect_answer("leak", 2);
  EXPECT_THAT(run_.out, StartsWith("LEAK: only when a connection is reset before its first answer: "
                                   "each leaves 1.00 file descriptors behind (90 alive at the end "
                                   "of the run, from 90 connections in 3 cycles)"));
  EXPECT_THAT(faults(), testing::ElementsAre("early fds")) << explanation();
}

TEST_F(CloseModesRun, AnUpgradeToAWrongPathThatIsNeverAnswered) {
  const Server server = Server::node("tests/e2e/servers/ignores-wrong-paths.js");
  measure(server, "clean,rst,wrong-path");
  expect_answer("leak", 2);
  EXPECT_THAT(run_.out, StartsWith("LEAK: only when a connection asks for a wrong path: each "
                                   "leaves 1.00 accepted sockets behind"));
  EXPECT_EQ(state("wrong-path", "sockets"), "not_ok");
  EXPECT_EQ(state("rst", "sockets"), "ok");
}

TEST_F(CloseModesRun, ASocketThatStaysInCloseWaitAfterAFin) {
  const Server server = Server::node("tests/e2e/servers/ignores-fins.js");
  measure(server, "clean,fin,rst");
  expect_answer("leak", 2);
  EXPECT_THAT(run_.out, StartsWith("LEAK: only when a connection ends without a close frame: each "
                                   "leaves 1.00 accepted sockets behind"));
  EXPECT_EQ(state("rst", "sockets"), "ok");
}

TEST_F(CloseModesRun, AServerThatDiesOfAResetInItsHandshake) {
  const Server server = Server::node("tests/e2e/servers/dies-in-the-handshake.js");
  measure(server, "clean,rst,abort-handshake,wrong-path");
  expect_answer("no_leak", 2);
  EXPECT_THAT(run_.out,
              StartsWith("The server dies when a connection breaks off its handshake: the target "
                         "exited"));
  EXPECT_THAT(run_.out, HasSubstr("NO LEAK: "));
  EXPECT_THAT(faults(), testing::ElementsAre("abort-handshake process")) << explanation();
  EXPECT_EQ(state("rst", "process"), "ok");
  EXPECT_EQ(state("wrong-path", "process"), "not_measured");
  const Json& conditions = results_["conditions"];
  EXPECT_EQ(conditions["end"], "target_exited");
  EXPECT_EQ(conditions["end_close_mode"], "abort-handshake");
  EXPECT_GE(conditions["end_cycle"].get<int>(), 9)
      << "behind 5 cycles and idle controls, and 3 of rst";
  EXPECT_GT(conditions["end_seconds"].get<double>(), 0);
  const std::string told = "ended because the target exited (exit code 1) after ";
  EXPECT_THAT(run_.out, HasSubstr("Run     " + told));
  EXPECT_THAT(contents_of(output_.file("06-03-memory-analysis.md")), HasSubstr("the run " + told));
}

TEST_F(CloseModesRun, AResetThatBlocksTheEventLoop) {
  const Server server = Server::node("tests/e2e/servers/blocks-on-resets.js");
  measure(server, "clean,rst");
  expect_answer("no_leak", 0);
  EXPECT_EQ(state("rst", "event_loop"), "not_ok") << explanation();
  EXPECT_THAT(run_.out, HasSubstr("Ends    rst: event loop: blocked for"));
}

TEST_F(CloseModesRun, OneModeAloneIsTheMainExperiment) {
  const Server server = Server::node("tests/e2e/servers/forgets-resets.js");
  measure(server, "rst");
  expect_answer("leak", 2);
  EXPECT_FALSE(results_.contains("close_modes"));
}

}  // namespace
}  // namespace ebbtide
