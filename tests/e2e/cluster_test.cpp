// Servers of several processes with a known truth: what each worker keeps is seen, whoever listens.
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
using testing::HasSubstr;
using testing::Not;

constexpr double planted = 262144;  // bytes per connection

std::vector<pid_t> children_of(pid_t pid) {
  std::ifstream file(fmt::format("/proc/{0}/task/{0}/children", pid));
  std::vector<pid_t> children;
  for (pid_t child = 0; file >> child;) children.push_back(child);
  return children;
}

class Cluster : public testing::Test {
 protected:
  static void SetUpTestSuite() { ASSERT_TRUE(enter_own_network()) << "needs root"; }

  void measure(const std::string& url, const std::vector<std::string>& more = {}) {
    std::vector<std::string> arguments = {"leak",
                                          url,
                                          "--send",
                                          R"({"type":"subscribe","matchId":1})",
                                          "--expect",
                                          "subscribed",
                                          "--cycles",
                                          "10",
                                          "--connections",
                                          "60",
                                          "--close",
                                          "clean",
                                          "-o",
                                          output_.path().string()};
    arguments.insert(arguments.end(), more.begin(), more.end());
    run_ = ebbtide(arguments);
    results_ = results_in(output_.path());
  }

  void expect_verdict(const std::string& verdict, int exit_code) const {
    EXPECT_EQ(results_.value("verdict", ""), verdict) << explanation();
    EXPECT_EQ(run_.exit_code, exit_code) << explanation();
  }

  void expect_growth(const std::string& gauge, double least, double most) const {
    for (const Json& row : results_["judgements"]) {
      if (row["of"] != gauge) continue;
      EXPECT_GE(row["per_connection_bytes"], least) << explanation();
      EXPECT_LE(row["per_connection_bytes"], most) << explanation();
      return;
    }
    ADD_FAILURE() << "no judgement on " << gauge;
  }

  std::string sentence() const { return results_.value("sentence", ""); }
  std::string explanation() const { return sentence() + "\n" + run_.out + run_.err; }

  TemporaryDirectory output_;
  ToolRun run_;
  Json results_;
};

TEST_F(Cluster, WorkersThatKeepBuffersLeak) {
  const Server server = Server::node("tests/e2e/servers/cluster-keeps-buffers.js");
  for (const bool by_pid : {false, true}) {
    const auto pid = by_pid ? std::vector<std::string>{"--pid", std::to_string(server.pid())}
                            : std::vector<std::string>{};
    measure(server.url("ws"), pid);
    expect_verdict("leak", 2);
    expect_growth("heap_live_external", 0.98 * planted, 1.02 * planted);
    expect_growth("rss", 0.8 * planted, 1.4 * planted);  // scatters with the dose
    EXPECT_THAT(run_.err, HasSubstr(fmt::format("4 processes behind 127.0.0.1:{}: primary {}",
                                                server.port(), server.pid())));
  }
}

// Without a forced collection in each worker what is reachable may still be too restless for NO
// LEAK.
TEST_F(Cluster, TheCleanTwinIsNotAccused) {
  const Server server = Server::node("tests/e2e/servers/cluster-clean.js");
  for (const bool by_pid : {false, true}) {
    measure(server.url("ws"), by_pid
                                  ? std::vector{std::string("--pid"), std::to_string(server.pid())}
                                  : std::vector<std::string>{});
    EXPECT_NE(results_.value("verdict", ""), "leak") << explanation();
    EXPECT_EQ(results_["connections_established"], 596);
    EXPECT_THAT(sentence(), Not(HasSubstr("held"))) << "all connections are the target's";
  }
}

// A third of the connections is not all of them, in guilt or innocence; of what it held a worker
// can be found guilty.
TEST_F(Cluster, OneWorkerIsNotTakenForTheWhole) {
  {
    const Server server = Server::node("tests/e2e/servers/cluster-clean.js");
    measure(server.url("ws"), {"--pid", std::to_string(children_of(server.pid()).at(0))});
    expect_verdict("inconclusive", 3);
    EXPECT_THAT(sentence(), HasSubstr("other processes held "));
  }
  const Server server = Server::node("tests/e2e/servers/cluster-keeps-buffers.js");
  measure(server.url("ws"), {"--pid", std::to_string(children_of(server.pid()).at(0))});
  expect_growth("rss", 0.75 * planted, 1.4 * planted);  // of each that this worker was dealt
  expect_verdict("leak", 2);
  EXPECT_THAT(sentence(), HasSubstr("other processes held "));
}

TEST_F(Cluster, AWorkerThatIsReplacedEndsTheRun) {
  const Server server = Server::node("tests/e2e/servers/cluster-dies.js");
  const auto workers = children_of(server.pid());
  ASSERT_EQ(workers.size(), 3u);
  measure(server.url("ws"));
  expect_verdict("inconclusive", 3);
  std::vector<testing::Matcher<std::string>> one_died;
  for (const pid_t worker : workers)
    one_died.emplace_back(HasSubstr(fmt::format("worker {} exited with code 7", worker)));
  EXPECT_THAT(sentence(), testing::AnyOfArray(one_died));
}

TEST_F(Cluster, NginxWithTwoWorkersDoesNotLeak) {
  const TemporaryDirectory directory;
  const Server server = Server::nginx(directory.path(), 2);
  for (const bool by_pid : {false, true}) {
    std::vector<std::string> arguments = {
        "leak", server.url("http"),     "--expect", "hello", "--close", "clean",
        "-o",   output_.path().string()};
    if (by_pid) arguments.insert(arguments.end(), {"--pid", std::to_string(server.pid())});
    run_ = ebbtide(arguments);
    results_ = results_in(output_.path());
    expect_verdict("no_leak", 0);
    EXPECT_THAT(run_.err, HasSubstr("3 processes behind"));
  }
}

TEST_F(Cluster, PreForkedWorkersAreMeasuredTogether) {
  {
    const Server server = Server::node("tests/e2e/servers/prefork.pl", {}, "perl");
    measure(server.url("tcp"));
    expect_verdict("no_leak", 0);
  }
  const Server server = Server::node("tests/e2e/servers/prefork.pl", {{"KEEP", "1"}}, "perl");
  measure(server.url("tcp"), {"--cool-down", "2"});
  EXPECT_THAT(sentence(), HasSubstr("still there after"));
  expect_verdict("leak", 2);
  expect_growth("rss", 0.8 * planted, 1.2 * planted);
}

}  // namespace
}  // namespace ebbtide
