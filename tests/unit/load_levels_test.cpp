// Levels, the cost of a connection and the limit, on recordings whose truth is planted.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "analysis/load/level_line.h"
#include "analysis/load/levels_answer.h"
#include "load_recordings.h"

namespace ebbtide {
namespace {

using testing::HasSubstr;
using testing::Not;
using testing::StartsWith;

constexpr std::uint64_t ms = 1'000'000;

void fails(Connection& connection, Stage stage, const std::string& error, int code, int status) {
  connection.established_ns = 0;
  connection.answered_ns = 0;
  connection.upgraded_ns = 0;
  if (stage == Stage::connect) connection.connected_ns = 0;
  connection.failed_at = stage;
  connection.error = error;
  connection.error_code = code;
  connection.http_status = status;
}

TEST(LevelsTest, CostIsTheSlopeAndNotAQuotient) {
  const LevelsAssessment assessment =
      assess_levels(LevelsRun().levels({10, 50, 100, 500, 1000}).recording);
  const ConnectionCost* rss = cost_named(assessment, "RSS");
  ASSERT_NE(rss, nullptr);
  ASSERT_TRUE(rss->per_connection);
  EXPECT_EQ(rss->levels, 5u);
  EXPECT_NEAR(*rss->per_connection, 9000, 600);
  EXPECT_LT(rss->interval.low, 9000);
  EXPECT_GT(rss->interval.high, 9000);
  EXPECT_NEAR(rss->fixed, 2.3e6, 0.3e6);
  EXPECT_GT(*rss->at_largest, 11'000);  // the fixed part shared among 1,000
  EXPECT_NEAR(*cost_named(assessment, "V8 heap reachable")->per_connection, 4000, 1);
  EXPECT_NEAR(*cost_named(assessment, "V8 heap and Buffers reachable")->per_connection, 5000, 1);
  EXPECT_NEAR(*cost_named(assessment, "kernel socket queues")->per_connection, 3000, 1);
  EXPECT_EQ(assessment.limit.cause, LimitCause::none);
  EXPECT_EQ(assessment.held, 1000u);
  EXPECT_THAT(assessment.sentence, StartsWith("1,000 connections held; no limit reached. Each"));
  EXPECT_THAT(assessment.extrapolation, StartsWith("Extrapolated, not measured"));
}

TEST(LevelsTest, OneLevelTellsNoCost) {
  const LevelsAssessment assessment = assess_levels(LevelsRun().levels({100}).recording);
  EXPECT_FALSE(cost_named(assessment, "RSS")->per_connection);
  EXPECT_THAT(assessment.sentence, HasSubstr("At 100 connections each took"));
  EXPECT_THAT(assessment.sentence, HasSubstr("not enough"));
  EXPECT_EQ(assessment.extrapolation, "");
}

TEST(LevelsTest, LatenciesAreExactQuantiles) {
  LevelsRun run;
  run.level({.connections = 100, .change = [](Connection& connection, std::uint32_t i) {
               connection.connected_ns = connection.start_ns + (i + 1) * 10'000;
             }});
  const LevelReport level = assess_levels(run.recording).levels.at(0);
  EXPECT_EQ(level.connect.count, 100u);
  EXPECT_DOUBLE_EQ(level.connect.p50, 500e-6);
  EXPECT_DOUBLE_EQ(level.connect.p99, 990e-6);
  EXPECT_DOUBLE_EQ(level.connect.max, 1000e-6);
  EXPECT_FALSE(level.scheduled);
}

TEST(LevelsTest, AScheduleDoesNotForgiveAStall) {
  LevelsRun run;
  run.level({.connections = 10, .change = [](Connection& connection, std::uint32_t) {
               connection.scheduled_ns = connection.start_ns - 300 * ms;
             }});
  const LevelReport level = assess_levels(run.recording).levels.at(0);
  EXPECT_TRUE(level.scheduled);
  EXPECT_NEAR(level.connect.p50, 0.3001, 1e-9);
  EXPECT_EQ(level.near_1s, 0u);
}

TEST(LevelsTest, RefusalIsTheApplications) {
  LevelsRun run;
  run.levels({10, 50}).level({.connections = 100, .change = [](Connection& connection, auto i) {
                                if (i >= 60) fails(connection, Stage::upgrade, "", 0, 429);
                              }});
  const LevelsAssessment assessment = assess_levels(run.recording);
  EXPECT_EQ(assessment.limit.cause, LimitCause::refusal);
  EXPECT_EQ(assessment.limit.level, 2u);
  EXPECT_EQ(assessment.held, 50u);
  EXPECT_THAT(assessment.sentence,
              StartsWith("At 100 connections the application refuses: 40 of "));
  EXPECT_THAT(assessment.sentence, HasSubstr("HTTP 429"));
}

TEST(LevelsTest, ACloseCodeOfALimiterIsARefusalAndAnotherIsNot) {
  const auto closing = [](int code) {
    LevelsRun run;
    run.levels({10}).level({.connections = 50, .change = [code](Connection& connection, auto i) {
                              if (i < 45) return;
                              connection.failed_at = Stage::hold;
                              connection.error = "server closed the connection (close code " +
                                                 std::to_string(code) + ")";
                            }});
    return assess_levels(run.recording);
  };
  EXPECT_EQ(closing(1013).limit.cause, LimitCause::refusal);
  EXPECT_EQ(closing(1008).limit.cause, LimitCause::refusal);
  EXPECT_EQ(closing(1011).limit.cause, LimitCause::dropped);
  EXPECT_EQ(closing(1011).levels.at(1).open, 45u);
}

TEST(LevelsTest, LostSynsAreTheBacklogs) {
  LevelsRun run;
  run.levels({10, 100}).level({.connections = 1000,
                               .change =
                                   [](Connection& connection, std::uint32_t i) {
                                     if (i < 900) return;
                                     const std::uint64_t late = i < 980 ? 1010 * ms : 3020 * ms;
                                     connection.connected_ns += late;
                                     connection.upgraded_ns += late;
                                     connection.answered_ns += late;
                                     connection.established_ns += late;
                                   },
                               .overflows = 120});
  const LevelsAssessment assessment = assess_levels(run.recording);
  EXPECT_EQ(assessment.levels.at(2).near_1s, 80u);
  EXPECT_EQ(assessment.levels.at(2).near_3s, 20u);
  EXPECT_EQ(assessment.levels.at(2).overflows, 120u);
  EXPECT_EQ(assessment.levels.at(1).overflows, 0u);
  EXPECT_EQ(assessment.limit.cause, LimitCause::backlog);
  EXPECT_EQ(assessment.limit.level, 2u);
}

TEST(LevelsTest, OverflowsThatHurtNobodyHereAreNoLimit) {
  const auto run = LevelsRun().level({.connections = 10, .overflows = 5});
  EXPECT_EQ(assess_levels(run.recording).limit.cause, LimitCause::none);
}

TEST(LevelsTest, AServerWithoutFreeDescriptors) {
  LevelsRun run;
  run.recording.run.fd_limit = 1024;
  run.levels({100}).level({.connections = 1500, .change = [](Connection& connection, auto i) {
                             if (i < 995) return;
                             fails(connection, Stage::upgrade, "server closed the connection", 0,
                                   0);
                           }});
  const LevelsAssessment assessment = assess_levels(run.recording);
  EXPECT_EQ(assessment.limit.cause, LimitCause::fd_limit);
  EXPECT_THAT(assessment.limit.reason, HasSubstr("1,022 descriptors"));
}

TEST(LevelsTest, TheToolsOwnLimitIsNotTheServers) {
  LevelsRun run;
  run.levels({10}).level({.connections = 50, .change = [](Connection& connection, auto i) {
                            if (i < 30) return;
                            fails(connection, Stage::connect, "the tool's own fd limit", EMFILE, 0);
                          }});
  const LevelsAssessment assessment = assess_levels(run.recording);
  EXPECT_EQ(assessment.limit.cause, LimitCause::own_limit);
  EXPECT_EQ(assessment.held, 30u);
  EXPECT_THAT(assessment.sentence, HasSubstr("not the server"));
}

TEST(LevelsTest, ABusyLoopNeedsSlowConnectionsToo) {
  const auto busy = [](std::uint64_t late) {
    LevelsRun run;
    run.levels({10}).level(
        {.connections = 100,
         .change = [late](Connection& connection, auto) { connection.established_ns += late; },
         .busy_share = 0.97});
    return assess_levels(run.recording);
  };
  EXPECT_EQ(busy(0).limit.cause, LimitCause::none);
  EXPECT_THAT(busy(0).sentence,
              HasSubstr("Opening is bound by the server's event loop, busy 97 %"));
  EXPECT_EQ(busy(40 * ms).limit.cause, LimitCause::loop);
}

TEST(LevelsTest, ALongTurnIsNamedWithItsTime) {
  LevelsRun run;
  run.levels({10}).level({.connections = 100, .longest_turn_ns = 700 * ms});
  const LevelsAssessment assessment = assess_levels(run.recording);
  EXPECT_EQ(assessment.limit.cause, LimitCause::loop);
  EXPECT_THAT(assessment.limit.reason, HasSubstr("700 ms at 30 ms into the level"));
}

TEST(LevelsTest, ARateThatTheServerDoesNotKeepUpWithIsNoBound) {
  const auto bound = [](std::uint64_t late_ns) {
    LevelsRun run;
    run.level({.connections = 100, .change = [late_ns](Connection& connection, auto i) {
                 connection.scheduled_ns = connection.start_ns - i * late_ns;
               }});
    return assess_levels(run.recording).opening_bound;
  };
  EXPECT_EQ(bound(0), "the rate that was asked for");
  EXPECT_THAT(bound(100'000), HasSubstr("the number that open at once"));
}

// Each of the loop's rows as if the scheduler had given it `cpu` of its busy time, and made it wait
// for a CPU for `delayed` of it.
void schedule(Recording& recording, double cpu, double delayed) {
  for (LoopActivity& activity : recording.loop_activities) {
    const auto busy = static_cast<double>(activity.busy_ns);
    activity.cpu_ns = static_cast<std::uint64_t>(busy * cpu);
    activity.delayed_ns = static_cast<std::uint64_t>(busy * delayed);
  }
}

TEST(LevelsTest, ALoopWithoutACpuIsTheMachines) {
  LevelsRun run;
  run.levels({10}).level({.connections = 100, .busy_share = 0.97});
  schedule(run.recording, 0.4, 0.6);
  const LevelsAssessment assessment = assess_levels(run.recording);
  EXPECT_THAT(assessment.opening_bound, HasSubstr("this machine: 58 % of the time"));
  EXPECT_NEAR(assessment.levels[1].loops[0].delayed_share, 0.582, 1e-6);
}

// A Go server's threads come back from epoll_wait and then sleep on a futex.
TEST(LevelsTest, ThreadsThatSleepElsewhereAreNoEventLoop) {
  LevelsRun run;
  run.levels({10}).level({.connections = 100, .busy_share = 0.99, .longest_turn_ns = 900 * ms});
  for (LoopActivity& activity : run.recording.loop_activities) activity.busy_ns = 2000 * ms;
  schedule(run.recording, 0.001, 0);
  const LevelsAssessment assessment = assess_levels(run.recording);
  EXPECT_EQ(assessment.limit.cause, LimitCause::none);
  EXPECT_TRUE(assessment.levels[1].loops.empty());
}

TEST(LevelsTest, TheTargetDiesAtLevelThreeOfFive) {
  LevelsRun run;
  run.levels({10, 50});
  run.level({.connections = 100,
             .change =
                 [](Connection& connection, auto) {
                   fails(connection, Stage::upgrade, "server reset the connection", ECONNRESET, 0);
                 },
             .finished = false});
  run.ends(EndReason::target_killed, "signal 9");
  const LevelsAssessment assessment = assess_levels(run.recording);
  ASSERT_EQ(assessment.levels.size(), 3u);
  EXPECT_FALSE(assessment.levels[2].finished);
  EXPECT_EQ(assessment.levels[2].attempted, 100u);
  EXPECT_EQ(assessment.limit.cause, LimitCause::target_died);
  EXPECT_THAT(assessment.sentence,
              StartsWith("At 100 connections the target was killed (signal 9); "
                         "50 were held before."));
}

TEST(LevelsTest, AnInterruptedRunHasNoLimit) {
  LevelsRun run;
  run.levels({10});
  run.level({.connections = 50,
             .change = [](Connection& connection,
                          auto) { fails(connection, Stage::upgrade, "aborted", ECANCELED, 0); },
             .finished = false});
  run.ends(EndReason::interrupted, "");
  const LevelsAssessment assessment = assess_levels(run.recording);
  EXPECT_EQ(assessment.limit.cause, LimitCause::none);
  EXPECT_THAT(assessment.sentence, HasSubstr("the run was interrupted in the level of 50"));
}

TEST(LevelsTest, NothingEstablished) {
  LevelsRun run;
  run.level({.connections = 10, .change = [](Connection& connection, auto) {
               fails(connection, Stage::connect, "connection refused", ECONNREFUSED, 0);
             }});
  const LevelsAssessment assessment = assess_levels(run.recording);
  EXPECT_EQ(assessment.held, 0u);
  EXPECT_THAT(assessment.sentence, StartsWith("No connection was established: 10 of 10 connections "
                                              "failed at connect: connection refused."));
}

TEST(LevelsTest, FailuresAlikeButForTheirNumbersAreOne) {
  LevelsRun run;
  run.level({.connections = 10, .change = [](Connection& connection, auto i) {
               fails(connection, Stage::exchange, "no answer to \"" + std::to_string(i) + "\"",
                     ETIMEDOUT, 0);
             }});
  const LevelReport level = assess_levels(run.recording).levels.at(0);
  ASSERT_EQ(level.failures.size(), 1u);
  EXPECT_EQ(level.failures[0].count, 10u);
}

TEST(LevelsTest, WhatWasNotMeasuredIsAbsent) {
  const LevelsAssessment assessment =
      assess_levels(LevelsRun().levels({10, 50, 100}).without_ebpf().without_heap().recording);
  EXPECT_TRUE(assessment.levels.at(0).loops.empty());
  EXPECT_EQ(cost_named(assessment, "V8 heap reachable"), nullptr);
  EXPECT_EQ(assessment.opening_bound, "");
  EXPECT_THAT(assessment.sentence, Not(HasSubstr("heap")));
}

TEST(LevelLineTest, OneWildLevelDoesNotBendIt) {
  const std::vector<Sample> samples = {{10, 90}, {50, 5000}, {100, 900}, {500, 4500}, {1000, 9000}};
  const auto line = level_line(samples, 0.95);
  ASSERT_TRUE(line);
  EXPECT_NEAR(line->slope, 9, 0.1);
  EXPECT_FALSE(level_line(std::vector<Sample>{{10, 1}, {10, 2}, {50, 3}}, 0.95));
}

}  // namespace
}  // namespace ebbtide
