// `ebbtide profile`: three runs and a summary, by command line and by ebbtide.toml.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <fstream>

#include "tests/e2e/own_network.h"
#include "tests/e2e/server.h"
#include "tests/e2e/tool.h"
#include "tests/temporary_directory.h"

namespace ebbtide {
namespace {

using testing::HasSubstr;
using testing::Not;

class Profile : public testing::Test {
 protected:
  static void SetUpTestSuite() { ASSERT_TRUE(enter_own_network()) << "needs root"; }

  std::string file(const std::string& name, const std::string& content) const {
    const auto path = directory_.path() / name;
    std::ofstream(path) << content;
    return path.string();
  }
  [[nodiscard]] std::string summary() const {
    return contents_of(output_.path() / "06-03-SUMMARY.md");
  }
  [[nodiscard]] std::string output() const { return output_.path().string(); }

  TemporaryDirectory directory_;
  TemporaryDirectory output_;
};

TEST_F(Profile, AFileSaysWhatToRunAndTheSummaryWhatWasFound) {
  const Server server = Server::node("examples/leaky-server.js");
  const std::string config = file("project.toml", R"(
url = ")" + server.url("ws") + R"("
steps = [{send = '{"type":"subscribe","matchId":1}'}, {expect = "subscribed"}]

[connections]
levels = [5, 10, 20]
hold = 0.1

[broadcast]
trigger = "POST http://127.0.0.1:)" + std::to_string(server.port()) +
                                                      R"(/matches/1/commentary"
body = '{"minute":1,"text":"{token}"}'
clients = 10
count = 20
rate = 50

[leak]
cycles = 5
connections = 40
)");
  const ToolRun run = ebbtide({"profile", "--config", config, "-o", output()});
  EXPECT_EQ(run.exit_code, 2) << run.out << run.err;
  for (const char* name :
       {"06-03-websocket-profile.md", "06-03-broadcast-profile.md", "06-03-memory-analysis.md",
        "connections.ebbtide", "broadcast.ebbtide", "leak.ebbtide", "results.json",
        "results-connections.json", "results-broadcast.json"})
    EXPECT_TRUE(std::filesystem::exists(output_.path() / name)) << name;
  const std::string text = summary();
  for (const char* heading :
       {"## Accomplishments", "## Files Created/Modified", "## Key Findings", "## Next Step"})
    EXPECT_THAT(text, HasSubstr(heading));
  EXPECT_THAT(text, HasSubstr("5, 10, 20 connections at once"));
  EXPECT_THAT(text, HasSubstr("20 messages broadcast to 10 clients"));
  EXPECT_THAT(text, HasSubstr(" connections opened and closed in 5 cycles"));
  EXPECT_THAT(text, HasSubstr("LEAK: each connection leaves"));
  EXPECT_THAT(text, HasSubstr("leaky-server.js:23"));
  EXPECT_THAT(text, HasSubstr("confirmed by the measurement"));
  for (const char* report :
       {"06-03-websocket-profile.md", "06-03-broadcast-profile.md", "06-03-memory-analysis.md"})
    EXPECT_THAT(text, HasSubstr(std::string("](") + report + ")"));
}

TEST_F(Profile, APartThatFailsLeavesTheOthers) {
  const Server server = Server::node("examples/clean-server.js");
  const ToolRun run = ebbtide({"profile",
                               server.url("ws"),
                               "--send",
                               R"({"type":"subscribe","matchId":1})",
                               "--expect",
                               "subscribed",
                               "--levels",
                               "5,10",
                               "--cycles",
                               "5",
                               "--connections",
                               "20",
                               "--trigger",
                               "POST http://127.0.0.1:1/x",
                               "--body",
                               "{token}",
                               "--clients",
                               "5",
                               "--count",
                               "10",
                               "--settle-cap",
                               "1",
                               "-o",
                               output()});
  const std::string text = summary();
  EXPECT_THAT(text, HasSubstr("10 connections held"));
  EXPECT_THAT(text, HasSubstr("None of"));  // triggers succeeded
  EXPECT_THAT(text, HasSubstr("NO LEAK"));
  EXPECT_EQ(run.exit_code, 3) << "nothing is known of broadcasts\n" << run.out << run.err;
}

TEST_F(Profile, WithoutATriggerTheSummarySaysSo) {
  const Server server = Server::node("examples/clean-server.js");
  const ToolRun run = ebbtide({"profile", server.url("ws"), "--levels", "5", "--cycles", "3",
                               "--connections", "20", "-o", output()});
  EXPECT_THAT(summary(), HasSubstr("**not done**: nothing says how to trigger one"));
  EXPECT_FALSE(std::filesystem::exists(output_.path() / "broadcast.ebbtide"));
  EXPECT_NE(run.exit_code, 1) << run.err;
}

TEST_F(Profile, AServerThatDiesIsSaidByEachPart) {
  const Server server = Server::node("tests/e2e/servers/under-load.js", {{"EXIT_ON", "12"}});
  const ToolRun run = ebbtide({"profile", server.url("ws"), "--levels", "5,10", "--cycles", "3",
                               "--connections", "20", "-o", output()});
  EXPECT_EQ(run.exit_code, 1) << run.out << run.err;
  EXPECT_THAT(summary(), HasSubstr("exit code 7"));
  EXPECT_THAT(summary(), HasSubstr("Memory and lifecycle: **not done**"));
}

TEST_F(Profile, TheCommandLineGoesBeforeTheFile) {
  const Server server = Server::node("examples/clean-server.js");
  const std::string config = file("ebbtide.toml",
                                  "url = \"ws://127.0.0.1:1/\"\n"
                                  "[connections]\nlevels = [7]\n"
                                  "[leak]\ncycles = 3\nconnections = 20\n");
  const ToolRun run =
      ebbtide({"profile", server.url("ws"), "--levels", "9", "--config", config, "-o", output()});
  EXPECT_THAT(summary(), HasSubstr("9 connections at once")) << run.err;
  EXPECT_THAT(summary(), HasSubstr(" connections opened and closed in 3 cycles")) << run.err;
}

TEST_F(Profile, WhatIsWrongInTheFileIsNamedBeforeAnythingRuns) {
  const std::vector<std::pair<std::string, std::string>> wrong = {
      {"url = ", "line 1"},  // no TOML
      {"url = 7", "url is a text"},
      {"url = \"ws://127.0.0.1:1/\"\nsteps = [\"a\"]", "line 2"},
      {"url = \"ws://127.0.0.1:1/\"\n[leek]\ncycles = 3", "the sections are"},
      {"url = \"ws://127.0.0.1:1/\"\n[leak]\ncycle = 3", "cycle"},  // no such option
      {"url = \"ws://127.0.0.1:1/\"\n[leak]\ncycles = \"many\"", "many"},
      {"url = \"ws://127.0.0.1:1/\"\n[connections]\nlevels = [0]", "options of connections"},
      {"cycles = 3", "URL"},
  };
  for (const auto& [content, named] : wrong) {
    const ToolRun run =
        ebbtide({"profile", "--config", file("wrong.toml", content), "-o", output()});
    EXPECT_EQ(run.exit_code, 64) << content << run.err;
    EXPECT_THAT(run.err, HasSubstr(named)) << content;
    EXPECT_FALSE(std::filesystem::exists(output_.path() / "06-03-SUMMARY.md"));
  }
}

}  // namespace
}  // namespace ebbtide
