// The reports of connections and of a broadcast against the golden files in tests/golden/.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <nlohmann/json.hpp>

#include "analysis/report/broadcast_report.h"
#include "analysis/report/connections_report.h"
#include "golden_file.h"
#include "load_recordings.h"

namespace ebbtide {
namespace {

using testing::HasSubstr;
using testing::Not;

void expect_connections_golden(const std::string& name, const Recording& recording) {
  const LevelsAssessment assessment = assess_levels(recording);
  expect_golden("connections_" + name + ".md", connections_report(assessment, recording));
  expect_golden("connections_" + name + ".json", connections_json(assessment, recording));
  expect_golden("connections_" + name + ".txt", connections_summary_text(assessment, recording));
}

void expect_broadcast_golden(const std::string& name, const Recording& recording) {
  const BroadcastAssessment assessment = assess_broadcast(recording);
  expect_golden("broadcast_" + name + ".md", broadcast_report(assessment, recording));
  expect_golden("broadcast_" + name + ".json", broadcast_json(assessment, recording));
  expect_golden("broadcast_" + name + ".txt", broadcast_summary_text(assessment, recording));
}

TEST(LoadGoldenTest, Levels) {
  expect_connections_golden("levels", LevelsRun().levels({10, 50, 100, 500, 1000}).recording);
}

// Dies at level 3 of 5, without eBPF, and puts all it can into its names.
TEST(LoadGoldenTest, TargetDies) {
  LevelsRun run;
  run.levels({10, 50});
  run.level({.connections = 100,
             .change =
                 [](Connection& connection, std::uint32_t i) {
                   if (i < 40) return;
                   connection.established_ns = connection.upgraded_ns = connection.answered_ns = 0;
                   connection.failed_at = Stage::upgrade;
                   connection.error = "`x` | <script>alert(1)</script>\n## Injected";
                 },
             .finished = false});
  run.ends(EndReason::target_killed, "signal 9").without_ebpf().without_heap();
  run.recording.run.cmdline = "node `x` | <img src=x> \x1b[31m[a](http://evil)\xff";
  expect_connections_golden("target_dies", run.recording);
}

TEST(LoadGoldenTest, Broadcast) {
  BroadcastRun run;
  run.recording.connections[0].slow = true;
  run.recording.loop_activities[0].longest_ns = 120'000'000;
  run.recording.loop_stalls = {
      {1, Phase::hold, 4242, 4242, run.recording.phases[1].start_ns + 40'000'000, 120'000'000}};
  expect_broadcast_golden("dependency", run.recording);
}

TEST(LoadGoldenTest, BroadcastWithoutToken) {
  BroadcastRun run;
  run.triggers([](Trigger& trigger) {
    trigger.delivered = 0;
    trigger.first_ns = trigger.last_ns = 0;
    if (trigger.number % 10 == 0) trigger.http_status = 500;
  });
  Recording& recording = run.recording;
  recording.latencies.clear();
  recording.loop_activities.clear();
  recording.upstream_waits.clear();
  recording.unmatched_messages = {{1, 2000, "```\n<b>commentary</b>"}};
  expect_broadcast_golden("no_token", recording);
}

TEST(LoadReportTest, EmptyRecordingsStillMakeReports) {
  const Recording recording;
  EXPECT_THAT(connections_report(assess_levels(recording), recording), HasSubstr("No level began"));
  EXPECT_THAT(broadcast_report(assess_broadcast(recording), recording),
              HasSubstr("No trigger was sent"));
  EXPECT_EQ(nlohmann::json::parse(connections_json(assess_levels(recording), recording)).at("kind"),
            "connections");
  EXPECT_EQ(
      nlohmann::json::parse(broadcast_json(assess_broadcast(recording), recording)).at("kind"),
      "broadcast");
}

TEST(LoadReportTest, WhatTheTargetSaysCannotAct) {
  LevelsRun run;
  run.level({.connections = 10, .change = [](Connection& connection, auto) {
               connection.established_ns = 0;
               connection.failed_at = Stage::upgrade;
               connection.error = "<script>alert(1)</script> | \x1b[31m";
             }});
  const LevelsAssessment assessment = assess_levels(run.recording);
  const std::string report = connections_report(assessment, run.recording);
  EXPECT_THAT(report, Not(HasSubstr("**No connection was established: 10 of 10 connections failed "
                                    "at upgrade: <script>")));
  EXPECT_THAT(report, Not(HasSubstr("\x1b")));
  EXPECT_THAT(connections_summary_text(assessment, run.recording), Not(HasSubstr("\x1b")));
}

TEST(LoadReportTest, TheTerminalGetsFifteenLinesAtMost) {
  LevelsRun run;
  for (std::uint32_t i = 1; i <= 30; ++i) run.level({.connections = 10 * i});
  const std::string text = connections_summary_text(assess_levels(run.recording), run.recording);
  EXPECT_LE(std::ranges::count(text, '\n'), 15);
  EXPECT_THAT(text, HasSubstr("  300 of 300 connections"));
}

}  // namespace
}  // namespace ebbtide
