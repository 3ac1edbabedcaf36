// What people get wrong: one clear message, the right exit code, and no harm to an older report.
#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <filesystem>
#include <fstream>

#include "tests/e2e/own_network.h"
#include "tests/e2e/server.h"
#include "tests/e2e/tool.h"
#include "tests/temporary_directory.h"

namespace ebbtide {
namespace {

using testing::AnyOf;
using testing::HasSubstr;

constexpr int failed = 1;
constexpr int inconclusive = 3;
constexpr int usage = 64;

class BadInput : public testing::Test {
 protected:
  static void SetUpTestSuite() { ASSERT_TRUE(enter_own_network()) << "needs root"; }

  // A short run with `more` on its command line.
  ToolRun leak(const std::string& url, const std::vector<std::string>& more = {},
               const ProcessOptions& options = {}, const std::vector<std::string>& wrapper = {}) {
    std::vector<std::string> arguments = {"leak", url, "--hold", "0", "--close", "clean"};
    const auto unless_given = [&](const std::string& option, const std::string& value) {
      if (std::find(more.begin(), more.end(), option) != more.end()) return;
      arguments.insert(arguments.end(), {option, value});
    };
    unless_given("--cycles", "2");
    unless_given("--connections", "5");
    unless_given("-o", directory());
    arguments.insert(arguments.end(), more.begin(), more.end());
    return ebbtide(arguments, options, wrapper);
  }

  // One message on stderr that says `what`, nothing of a stack trace, and no file left behind.
  void expect_refused(const ToolRun& run, int exit_code,
                      const testing::Matcher<const std::string&>& what) {
    EXPECT_EQ(run.exit_code, exit_code) << run.out << run.err;
    EXPECT_THAT(run.err, what);
    EXPECT_THAT(run.err, testing::Not(AnyOf(HasSubstr("terminate called"), HasSubstr("what():"))));
    EXPECT_LE(std::count(run.err.begin(), run.err.end(), '\n'), 6) << run.err;
    EXPECT_THAT(output_.names(), testing::IsEmpty());
  }

  std::string directory() const { return output_.path().string(); }

  TemporaryDirectory output_;
};

TEST_F(BadInput, NonsenseOnTheCommandLine) {
  const std::string url = "ws://127.0.0.1:1/ws";
  const std::vector<std::vector<std::string>> lines = {
      {},
      {"leek", url},
      {"leak"},
      {"leak", url, "--no-such-option"},
      {"leak", url, "--cycles", "0"},
      {"leak", url, "--cycles", "-3"},
      {"leak", url, "--cycles", "many"},
      {"leak", url, "--cycles", "99999999999999999999"},
      {"leak", url, "--connections", "0"},
      {"leak", url, "--connections", "1e3"},
      {"leak", url, "--hold", "-1"},
      {"leak", url, "--hold", "nan"},
      {"leak", url, "--pid", "0"},
      {"leak", url, "--pid", "self"},
      {"leak", url, "--send"},
      {"leak", "127.0.0.1:8000"},
      {"leak", "ftp://127.0.0.1:8000/ws"},
      {"leak", "ws://127.0.0.1:70000/ws"},
      {"leak", "tcp://127.0.0.1"},
      {"report"},
  };
  for (const auto& line : lines) {
    SCOPED_TRACE(testing::PrintToString(line));
    expect_refused(ebbtide(line), usage, testing::Not(testing::IsEmpty()));
  }
}

TEST_F(BadInput, HelpIsNoError) {
  for (const std::vector<std::string>& line :
       {std::vector<std::string>{"--help"}, {"leak", "--help"}, {"--version"}}) {
    const ToolRun run = ebbtide(line);
    EXPECT_EQ(run.exit_code, 0);
    EXPECT_NE(run.out, "");
    EXPECT_EQ(run.err, "");
  }
}

TEST_F(BadInput, NoSuchProcess) {
  const Server server = Server::node("tests/e2e/servers/clean.js");
  expect_refused(leak(server.url("ws"), {"--pid", "4194303"}), failed, HasSubstr("4194303"));
}

TEST_F(BadInput, AProcessThatDoesNotOwnThePort) {
  const Server server = Server::node("tests/e2e/servers/clean.js");
  const Server other = Server::node("tests/e2e/servers/clean.js");
  const ToolRun run = leak(server.url("ws"), {"--pid", std::to_string(other.pid())});
  expect_refused(run, failed, HasSubstr(std::to_string(server.pid())));
  EXPECT_THAT(run.err, HasSubstr("node"));
}

TEST_F(BadInput, NothingListens) {
  const std::uint16_t port = free_port();
  expect_refused(leak(fmt::format("ws://127.0.0.1:{}/ws", port)), failed,
                 HasSubstr(std::to_string(port)));
}

TEST_F(BadInput, ANameThatDoesNotResolve) {
  expect_refused(leak("ws://no-such-host.invalid:8000/ws"), failed, HasSubstr("no-such-host"));
}

TEST_F(BadInput, AHostThatIsNotThisMachine) {
  expect_refused(leak("ws://192.0.2.1:8000/ws"), failed, HasSubstr("192.0.2.1"));
}

TEST_F(BadInput, AServerThatNeverAnswers) {
  const Server server = Server::node("tests/e2e/servers/never-answers.js");
  const ToolRun run =
      leak(server.url("ws"), {"--send", "hello", "--expect", "subscribed", "--timeout", "0.5"});
  EXPECT_EQ(run.exit_code, failed) << run.out << run.err;
  EXPECT_THAT(run.err, HasSubstr("subscribed"));
}

TEST_F(BadInput, AnUpgradeThatIsRefused) {
  for (const std::string status : {"401", "404"}) {
    const Server server = Server::node("tests/e2e/servers/refuses.js", {{"STATUS", status}});
    const ToolRun run = leak(server.url("ws"));
    EXPECT_EQ(run.exit_code, failed) << run.out << run.err;
    EXPECT_THAT(run.err, HasSubstr(status));
  }
}

TEST_F(BadInput, ATargetThatDiesInMidCycleIsReportedUntilThen) {
  Server server = Server::node("tests/e2e/servers/dies.js");
  const ToolRun run = leak(server.url("ws"), {"--connections", "100", "--cycles", "5"});
  EXPECT_EQ(run.exit_code, inconclusive) << run.out << run.err;
  const auto results = results_in(output_.path());
  EXPECT_EQ(results["conditions"]["end"], "target_exited");
  EXPECT_THAT(results["conditions"]["end_detail"].get<std::string>(), HasSubstr("7"));
  EXPECT_GE(results["cycles_finished"].get<int>(), 1);
  EXPECT_NE(contents_of(output_.file("06-03-memory-analysis.md")), "");
}

TEST_F(BadInput, ATargetThatIsRestartedInMidRunIsNotMixedWithItsSuccessor) {
  const Server server = Server::node("tests/e2e/servers/restarts.js");
  const ToolRun run = leak(server.url("ws"), {"--connections", "100", "--cycles", "5"});
  EXPECT_EQ(run.exit_code, inconclusive) << run.out << run.err;
  const auto results = results_in(output_.path());
  EXPECT_EQ(results["conditions"]["end"], "target_exited");
  EXPECT_LT(results["connections_established"].get<int>(), 250) << "its successor's are none of it";
  EXPECT_THAT(run.out, HasSubstr("Run     ended because the target exited (exit code 7) after "));
  EXPECT_THAT(contents_of(output_.file("06-03-memory-analysis.md")),
              HasSubstr("Mend first what ended the run: the target exited (exit code 7)."));
}

TEST_F(BadInput, TooFewCyclesDecideNothingAndSayHowManyWould) {
  const Server server = Server::node("tests/e2e/servers/clean.js");
  for (const std::string cycles : {"1", "2", "3"}) {
    const ToolRun run = leak(server.url("ws"), {"--cycles", cycles, "--connections", "20"});
    EXPECT_EQ(run.exit_code, inconclusive) << run.out << run.err;
    EXPECT_THAT(run.out, testing::StartsWith("INCONCLUSIVE: "));
    EXPECT_THAT(run.out, HasSubstr("Next    run again with --cycles 10: fewer than four"));
  }
}

TEST_F(BadInput, SomeoneElsesProcessWithoutRoot) {
  const Server server = Server::node("tests/e2e/servers/clean.js");
  const ToolRun run = leak(server.url("ws"), {"-o", "/tmp/ebbtide-nobody"}, {},
                           {"setpriv", "--reuid=65534", "--regid=65534", "--clear-groups"});
  expect_refused(run, failed, AnyOf(HasSubstr("root"), HasSubstr("sudo"), HasSubstr("permi")));
}

TEST_F(BadInput, AKernelWithoutBtf) {
  const Server server = Server::node("tests/e2e/servers/clean.js");
  const ToolRun run = leak(
      server.url("ws"), {}, {},
      {"unshare", "--mount", "sh", "-c", "mount -t tmpfs none /sys/kernel/btf; exec \"$@\"", "sh"});
  EXPECT_THAT(run.out + run.err, HasSubstr("BTF"));
  EXPECT_NE(run.exit_code, usage);
}

TEST_F(BadInput, MoreConnectionsThanOpenFiles) {
  const Server server = Server::node("tests/e2e/servers/clean.js");
  ProcessOptions options;
  options.open_files = 256;
  const ToolRun run = leak(server.url("ws"), {"--connections", "1000"}, options);
  expect_refused(run, failed, HasSubstr("ask for fewer connections"));
}

TEST_F(BadInput, AnOutputDirectoryThatIsNone) {
  const Server server = Server::node("tests/e2e/servers/clean.js");
  const TemporaryDirectory elsewhere;
  std::ofstream(elsewhere.file("report")) << "a file";
  for (const std::string& path : {elsewhere.file("report"), std::string("/proc/ebbtide")}) {
    expect_refused(leak(server.url("ws"), {"-o", path}), failed, HasSubstr(path));
  }
}

TEST_F(BadInput, AnOlderReportStaysWhenTheRunFails) {
  for (const char* name : {"06-03-memory-analysis.md", "results.json", "leak.ebbtide"}) {
    std::ofstream(output_.file(name)) << "older";
  }
  EXPECT_EQ(leak(fmt::format("ws://127.0.0.1:{}/ws", free_port())).exit_code, failed);
  for (const char* name : {"06-03-memory-analysis.md", "results.json", "leak.ebbtide"}) {
    EXPECT_EQ(contents_of(output_.file(name)), "older");
  }
  EXPECT_THAT(output_.names(), testing::SizeIs(3));
}

// The schema version stands in the file's header.
void set_version(const std::string& path, char version) {
  std::fstream file(path, std::ios::binary | std::ios::in | std::ios::out);
  file.seekp(60);
  file.write(std::string{0, 0, 0, version}.data(), 4);
}

TEST_F(BadInput, RecordingsThatAreCutNewerOlderOrOfAnotherKind) {
  const Server server = Server::node("tests/e2e/servers/clean.js");
  const TemporaryDirectory runs;
  ASSERT_EQ(leak(server.url("ws"), {"-o", runs.path().string()}).exit_code, inconclusive);
  ASSERT_EQ(ebbtide({"connections", server.url("ws"), "--levels", "2,3,4", "--hold", "0.1", "-o",
                     runs.path().string()})
                .exit_code,
            0);
  const std::string good = runs.file("leak.ebbtide");
  const auto copy = [&](const std::string& name) {
    std::filesystem::copy(good, runs.file(name));
    return runs.file(name);
  };
  const std::string cut = copy("cut.ebbtide");
  std::filesystem::resize_file(cut, std::filesystem::file_size(cut) / 2);
  const std::string newer = copy("newer.ebbtide");
  set_version(newer, 99);
  for (const auto& [path, remedy] :
       {std::pair(cut, "record again"), std::pair(newer, "ebbtide that made it")}) {
    for (const auto& line : {std::vector<std::string>{"report", path, "-o", directory()},
                             {"compare", good, path, "-o", directory()},
                             {"compare", path, good, "-o", directory()}}) {
      SCOPED_TRACE(testing::PrintToString(line));
      expect_refused(ebbtide(line), failed, testing::AllOf(HasSubstr(path), HasSubstr(remedy)));
    }
  }
  const std::string older = copy("older.ebbtide");
  set_version(older, 4);
  const ToolRun report = ebbtide({"report", older, "-o", directory()});
  EXPECT_EQ(report.exit_code, inconclusive) << report.out << report.err;
  EXPECT_THAT(report.out, testing::StartsWith("INCONCLUSIVE: "));
  const ToolRun kinds = ebbtide({"compare", good, runs.file("connections.ebbtide")});
  EXPECT_EQ(kinds.exit_code, inconclusive) << kinds.out << kinds.err;
  EXPECT_THAT(kinds.out, testing::StartsWith("NOT COMPARABLE: one is a leak run, the other a "
                                             "connections run; name two of one kind"));
}

TEST_F(BadInput, AReportOfWhatIsNoRecording) {
  std::ofstream(output_.file("text")) << "# a report\n";
  const ToolRun run = ebbtide({"report", output_.file("text")});
  EXPECT_EQ(run.exit_code, failed);
  EXPECT_THAT(run.err, HasSubstr("not a recording"));
  EXPECT_EQ(ebbtide({"report", output_.file("missing")}).exit_code, failed);
}

}  // namespace
}  // namespace ebbtide
