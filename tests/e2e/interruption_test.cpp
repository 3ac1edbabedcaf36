// A run that does not reach its end, or stands on fewer tiers, keeps what it has and says so.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <csignal>
#include <filesystem>
#include <fstream>
#include <set>
#include <thread>

#include "recording/reader.h"
#include "tests/e2e/own_network.h"
#include "tests/e2e/server.h"
#include "tests/e2e/tool.h"
#include "tests/temporary_directory.h"

namespace ebbtide {
namespace {

using namespace std::chrono_literals;
using testing::HasSubstr;

class Interruption : public testing::Test {
 protected:
  static void SetUpTestSuite() { ASSERT_TRUE(enter_own_network()) << "needs root"; }

  // A run of many cycles that has finished at least five when this returns.
  std::unique_ptr<Process> running() {
    return running("leak", 5, {"leak", "--cycles", "200", "--connections", "20", "--hold", "0"});
  }

  // The same for any command, when the recording of `kind` has so many.
  std::unique_ptr<Process> running(const std::string& kind, std::size_t cycles,
                                   std::vector<std::string> arguments) {
    arguments.insert(arguments.begin(), BINARY_DIR "/ebbtide");
    arguments.insert(arguments.end(), {server_.url("ws"), "-o", output_.path().string()});
    auto run = std::make_unique<Process>(arguments);
    const auto partial = output_.file(kind + ".ebbtide." + std::to_string(run->pid()) + ".partial");
    for (int i = 0; i < 600 && finished_cycles(partial) < cycles; i++)
      std::this_thread::sleep_for(100ms);
    EXPECT_GE(finished_cycles(partial), cycles);
    return run;
  }

  static std::size_t finished_cycles(const std::string& recording) {
    const auto run = read_recording(recording);
    return run ? run->cycles.size() : 0;
  }

  // Ids of the BPF programs that a process holds.
  static std::set<int> programs_of(pid_t pid) {
    std::set<int> ids;
    for (const auto& entry :
         std::filesystem::directory_iterator("/proc/" + std::to_string(pid) + "/fdinfo")) {
      std::ifstream info(entry.path());
      for (std::string key; info >> key;) {
        int id = 0;
        if (key == "prog_id:" && info >> id) ids.insert(id);
      }
    }
    return ids;
  }

  // Ids of all programs that the kernel holds.
  static std::set<int> loaded_programs() {
    Process bpftool({"bpftool", "--json", "prog", "show"});
    bpftool.wait(10s);
    std::set<int> ids;
    for (const auto& program : nlohmann::json::parse(bpftool.out()))
      ids.insert(program["id"].get<int>());
    return ids;
  }

  // The unfinished recording; SQLite's journal may lie beside it.
  std::string partial() const {
    for (const std::string& name : output_.names()) {
      if (name.ends_with(".partial")) return output_.file(name);
    }
    return "";
  }

  Server server_ = Server::node("tests/e2e/servers/keeps-sockets.js");
  TemporaryDirectory output_;
};

TEST_F(Interruption, CtrlCOnceReportsTheFinishedCycles) {
  const auto run = running();
  run->signal(SIGINT);
  ASSERT_TRUE(run->wait(20s));
  EXPECT_EQ(run->exit_code(), 2) << run->out() << run->err();
  const auto results = results_in(output_.path());
  EXPECT_EQ(results["verdict"], "leak");
  EXPECT_GE(results["cycles_finished"], 4);
  EXPECT_THAT(contents_of(output_.file("06-03-memory-analysis.md")), HasSubstr("interrupted"));
  EXPECT_EQ(output_.names().size(), 3u) << "report, results, recording, and nothing half-written";
}

TEST_F(Interruption, CtrlCKeepsTheLevelsThatAreFinished) {
  const auto run =
      running("connections", 2, {"connections", "--levels", "5,10,15,20", "--hold", "2"});
  run->signal(SIGINT);
  ASSERT_TRUE(run->wait(20s));
  EXPECT_EQ(run->exit_code(), 3) << run->out() << run->err();
  const auto results = json_in(output_.path() / "results-connections.json");
  ASSERT_GE(results["levels"].size(), 2u);
  EXPECT_LT(results["levels"].size(), 4u);
  EXPECT_TRUE(results["levels"][1]["finished"]);
  EXPECT_EQ(results["levels"][1]["established"], 10);
  EXPECT_GE(results["connections_held"], 10);
  EXPECT_THAT(run->err(), HasSubstr("level 10 (2/4)"));
  EXPECT_THAT(contents_of(output_.file("06-03-websocket-profile.md")), HasSubstr("interrupted"));
}

TEST_F(Interruption, CtrlCEndsAProfileAndTheSummaryNamesWhatWasNotBegun) {
  const auto run = running("connections", 1,
                           {"profile", "--levels", "5,10,15", "--settle-cap", "1", "--trigger",
                            "POST http://127.0.0.1:1/", "--body", "{token}", "--cycles", "3"});
  run->signal(SIGINT);
  ASSERT_TRUE(run->wait(20s));
  EXPECT_EQ(run->exit_code(), 3) << run->out() << run->err();
  const std::string summary = contents_of(output_.file("06-03-SUMMARY.md"));
  EXPECT_THAT(summary, HasSubstr("5 connections held"));
  std::size_t not_begun = 0;
  for (std::size_t at = 0; (at = summary.find("it was not begun", at)) != std::string::npos; at++)
    not_begun++;
  EXPECT_GE(not_begun, 2u) << summary;
  EXPECT_FALSE(std::filesystem::exists(output_.file("leak.ebbtide")));
}

TEST_F(Interruption, CtrlCTwiceEndsAtOnceAndTheRecordingOpens) {
  const auto run = running();
  run->signal(SIGSTOP);  // both signals are there before the first can be served
  run->signal(SIGINT);
  run->signal(SIGTERM);
  run->signal(SIGCONT);
  ASSERT_TRUE(run->wait(20s));
  EXPECT_GT(run->exit_code(), 128);
  EXPECT_GE(finished_cycles(partial()), 5u);
}

TEST_F(Interruption, KillNineLeavesARecordingAndNothingAttached) {
  const auto run = running();
  const std::set<int> ours = programs_of(run->pid());
  ASSERT_GE(ours.size(), 6u);
  const std::set<int> before = loaded_programs();
  for (const int id : ours) ASSERT_EQ(before.count(id), 1u);
  run->signal(SIGKILL);
  ASSERT_TRUE(run->wait(20s));
  std::this_thread::sleep_for(500ms);  // the kernel frees programs in its own time
  const std::set<int> left = loaded_programs();
  for (const int id : ours) EXPECT_EQ(left.count(id), 0u) << "program " << id << " is still there";
  const ToolRun report = ebbtide({"report", partial()});
  EXPECT_EQ(report.exit_code, 2) << report.out << report.err;
  EXPECT_THAT(report.out, HasSubstr("LEAK: each connection leaves"));
}

TEST_F(Interruption, WithoutCensusAndInspectorTheHeapIsNotGuessedAt) {
  const Server clean = Server::node("tests/e2e/servers/clean.js");
  const ToolRun run = ebbtide({"leak", clean.url("ws"), "--no-inspector", "--no-heap-census",
                               "--cycles", "5", "--hold", "0", "-o", output_.path().string()});
  EXPECT_EQ(run.exit_code, 3) << run.out;
  EXPECT_THAT(run.out, HasSubstr("INCONCLUSIVE"));
  EXPECT_THAT(run.out, HasSubstr("inspector"));
}

TEST_F(Interruption, ProcAloneFindsTheLeakAndSaysWhatItStoodOn) {
  const ToolRun run = ebbtide({"leak", server_.url("ws"), "--no-ebpf", "--cycles", "5", "--hold",
                               "0", "-o", output_.path().string()});
  EXPECT_EQ(run.exit_code, 2) << run.out << run.err;
  EXPECT_THAT(contents_of(output_.file("06-03-memory-analysis.md")),
              HasSubstr("refused by --no-ebpf"));
}

}  // namespace
}  // namespace ebbtide
