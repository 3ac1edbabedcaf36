// Grace periods and close timers against leaks: what comes back while nobody connects is none.
#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/e2e/own_network.h"
#include "tests/e2e/server.h"
#include "tests/e2e/tool.h"
#include "tests/temporary_directory.h"

namespace ebbtide {
namespace {

using testing::HasSubstr;
using testing::Not;

class CoolDownRun : public testing::Test {
 protected:
  static void SetUpTestSuite() { ASSERT_TRUE(enter_own_network()) << "needs root"; }

  void measure(const std::string& plant, const std::vector<std::string>& more = {}) {
    const Server server = Server::node("tests/e2e/servers/gives-back-late.js", {{"PLANT", plant}});
    std::vector<std::string> arguments = {"leak",     server.url("ws"),       "--send",  "hello",
                                          "--expect", "subscribed",           "--close", "clean",
                                          "-o",       output_.path().string()};
    arguments.insert(arguments.end(), more.begin(), more.end());
    run_ = ebbtide(arguments);
    results_ = results_in(output_.path());
  }

  std::string verdict() const { return results_.value("verdict", ""); }
  std::string sentence() const { return results_.value("sentence", ""); }
  std::string explanation() const { return run_.out + run_.err; }

  [[nodiscard]] std::size_t cool_down_cycles() const {
    std::size_t count = 0;
    for (const auto& cycle : results_["cycles"]) count += cycle.value("cool_down", false);
    return count;
  }

  TemporaryDirectory output_;
  ToolRun run_;
  nlohmann::json results_;
};

TEST_F(CoolDownRun, WhatATimerEndsIsNoLeak) {
  measure("timer");
  EXPECT_EQ(verdict(), "no_leak") << explanation();
  EXPECT_EQ(run_.exit_code, 0);
  EXPECT_THAT(sentence(), HasSubstr("of V8 heap of each late, within "));
  EXPECT_THAT(run_.err, HasSubstr("LEAK so far"));
  EXPECT_LE(cool_down_cycles(), 2u) << "its timers say how long to wait: two looks of 10 s";
}

TEST_F(CoolDownRun, WhatASweepEndsIsNoLeakEither) {
  measure("sweep");
  EXPECT_EQ(verdict(), "no_leak") << explanation();
  EXPECT_THAT(sentence(), HasSubstr("of V8 heap of each late, within "));
}

TEST_F(CoolDownRun, WhatStaysIsALeak) {
  measure("never", {"--cool-down", "4"});
  EXPECT_EQ(verdict(), "leak") << explanation();
  EXPECT_EQ(run_.exit_code, 2);
  EXPECT_THAT(sentence(),
              testing::ContainsRegex("it was still there after [4-9] s without connections"));
  EXPECT_EQ(cool_down_cycles(), 1u);
}

TEST_F(CoolDownRun, IsLeftOutWhenToldOrWhenNothingIsPending) {
  measure("never", {"--cool-down", "0"});
  EXPECT_EQ(verdict(), "leak") << explanation();
  EXPECT_EQ(cool_down_cycles(), 0u);
  const Server server = Server::node("examples/leaky-server.js");
  const ToolRun run =
      ebbtide({"leak", server.url("ws"), "--send", R"({"type":"subscribe","matchId":1})",
               "--expect", "subscribed", "--close", "clean", "-o", output_.path().string()});
  EXPECT_EQ(run.exit_code, 2) << run.out << run.err;
  EXPECT_THAT(run.err, Not(HasSubstr("LEAK so far"))) << "no timer runs that could give back";
}

}  // namespace
}  // namespace ebbtide
