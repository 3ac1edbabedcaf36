// `ebbtide compare`: recordings of real servers, one that leaks and its twin that does not.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>

#include "tests/e2e/own_network.h"
#include "tests/e2e/server.h"
#include "tests/e2e/tool.h"
#include "tests/temporary_directory.h"

namespace ebbtide {
namespace {

using testing::HasSubstr;
using testing::StartsWith;

class Compare : public testing::Test {
 protected:
  // Three runs for all tests: leaky, leaky again, clean.
  static void SetUpTestSuite() {
    ASSERT_TRUE(enter_own_network()) << "needs root";
    runs_ = new TemporaryDirectory;
    record("examples/leaky-server.js", "leaky");
    record("examples/leaky-server.js", "again");
    record("examples/clean-server.js", "clean");
  }
  static void TearDownTestSuite() { delete runs_; }

  static void record(const std::string& script, const std::string& name) {
    const Server server = Server::node(script);
    const ToolRun run =
        ebbtide({"leak", server.url("ws"), "--send", R"({"type":"subscribe","matchId":1})",
                 "--expect", "subscribed", "--hold", "0", "--cycles", "6", "--connections", "40",
                 "--close", "clean", "-o", directory(name)});
    ASSERT_TRUE(std::filesystem::exists(recording(name))) << run.out << run.err;
  }
  static std::string directory(const std::string& name) { return runs_->file(name); }
  static std::string recording(const std::string& name) {
    return directory(name) + "/leak.ebbtide";
  }

  static ToolRun compare(const std::string& before, const std::string& after,
                         const std::vector<std::string>& more = {}) {
    std::vector<std::string> arguments = {"compare", before, after};
    arguments.insert(arguments.end(), more.begin(), more.end());
    return ebbtide(arguments);
  }

  static TemporaryDirectory* runs_;
};

TemporaryDirectory* Compare::runs_ = nullptr;

TEST_F(Compare, AFixIsSaidWithWhatItGaveBack) {
  const ToolRun run = compare(recording("leaky"), recording("clean"));
  EXPECT_EQ(run.exit_code, 0) << run.out << run.err;
  EXPECT_THAT(run.out, StartsWith("FIXED: each connection no longer leaves 6"));  // 64 KB and more
  EXPECT_THAT(run.out, HasSubstr("gone"));
  EXPECT_THAT(run.out, HasSubstr("subscribers (Map)"));
  EXPECT_THAT(run.out, HasSubstr(": 1.00 → 0.00 objects per connection (−1.0"));
  EXPECT_THAT(run.out, HasSubstr("clean-server.js"));  // in what else the runs differ
}

TEST_F(Compare, ANewLeakIsWorse) {
  const ToolRun run = compare(recording("clean"), recording("leaky"));
  EXPECT_EQ(run.exit_code, 2) << run.out << run.err;
  EXPECT_THAT(run.out, StartsWith("WORSE: each connection leaves 6"));
  EXPECT_THAT(run.out, HasSubstr("new"));
}

TEST_F(Compare, TwoRunsOfOneServerAreTheSame) {
  const ToolRun run = compare(recording("leaky"), recording("again"));
  EXPECT_EQ(run.exit_code, 0) << run.out << run.err;
  EXPECT_THAT(run.out, StartsWith("SAME: "));
}

TEST_F(Compare, OneFileTwiceIsSaidToBeOne) {
  const ToolRun run = compare(recording("clean"), recording("clean"));
  EXPECT_EQ(run.exit_code, 0) << run.out << run.err;
  EXPECT_THAT(run.out, StartsWith("SAME: both files hold the same run"));
}

TEST_F(Compare, DirectoriesAreComparedKindByKind) {
  const TemporaryDirectory output;
  const TemporaryDirectory before;
  std::filesystem::copy(recording("leaky"), before.path());
  std::ofstream(before.file("broadcast.ebbtide")) << "one side only: not opened";
  const ToolRun run =
      compare(before.path().string(), directory("clean"), {"--json", "-o", output.path().string()});
  EXPECT_EQ(run.exit_code, 0) << run.out << run.err;
  const auto json = nlohmann::json::parse(run.out);
  ASSERT_EQ(json["comparisons"].size(), 1u);
  EXPECT_EQ(json["comparisons"][0]["verdict"], "fixed");
  EXPECT_EQ(json["not_compared"].size(), 1u);
  EXPECT_THAT(contents_of(output.file("06-03-compare.md")), HasSubstr("**FIXED: each connection"));
}

TEST_F(Compare, WhatCannotBeComparedIsSaid) {
  const TemporaryDirectory empty;
  std::ofstream(empty.file("text")) << "# a report\n";
  const std::vector<std::pair<std::vector<std::string>, int>> lines = {
      {{"compare"}, 64},
      {{"compare", recording("clean")}, 64},
      {{"compare", recording("clean"), empty.file("text")}, 1},
      {{"compare", recording("clean"), empty.file("missing")}, 1},
      {{"compare", directory("clean"), recording("clean")}, 1},
      {{"compare", directory("clean"), empty.path().string()}, 1},
  };
  for (const auto& [line, exit_code] : lines) {
    const ToolRun run = ebbtide(line);
    EXPECT_EQ(run.exit_code, exit_code) << testing::PrintToString(line) << run.out << run.err;
    EXPECT_NE(run.err, "");
    EXPECT_EQ(run.out, "");
  }
}

}  // namespace
}  // namespace ebbtide
