// Deliveries, latencies and the bottleneck of a broadcast, on recordings whose truth is planted.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "analysis/load/broadcast.h"
#include "load_recordings.h"
#include "recording/latency.h"

namespace ebbtide {
namespace {

using testing::HasSubstr;
using testing::StartsWith;

constexpr std::uint64_t ms = 1'000'000;
constexpr std::int64_t mib = 1024 * 1024;

void set_gauge(Recording& recording, Point point, GaugeKind kind, std::int64_t value) {
  for (Gauge& gauge : recording.gauges) {
    if (gauge.cycle == 1 && gauge.point == point && gauge.kind == kind) gauge.value = value;
  }
}

// The loop works for so long of the 1.5 s.
void keep_busy(Recording& recording, std::uint64_t busy_ns) {
  LoopActivity& loop = recording.loop_activities.at(0);
  loop.busy_ns = loop.cpu_ns = busy_ns;
  loop.waiting_ns = 1500 * ms - busy_ns;
}

TEST(BroadcastTest, CountsDeliveries) {
  BroadcastRun run;
  run.triggers([](Trigger& trigger) {
    if (trigger.number <= 10) trigger.delivered -= 2;
    if (trigger.number == 20) trigger.duplicates = 3;
    if (trigger.number == 30) trigger.reordered = 4;
  });
  const DeliveryCounts counts = assess_broadcast(run.recording).deliveries;
  EXPECT_EQ(counts.expected, 2000u);
  EXPECT_EQ(counts.delivered, 1980u);
  EXPECT_EQ(counts.lost, 20u);
  EXPECT_EQ(counts.copies, 3u);
  EXPECT_EQ(counts.reordered, 4u);
}

TEST(BroadcastTest, NamesTheDependencyAndTheShareBeforeTheAnswer) {
  const BroadcastAssessment assessment = assess_broadcast(BroadcastRun().recording);
  EXPECT_EQ(assessment.bottleneck, Bottleneck::dependency);
  EXPECT_THAT(assessment.waits_for, HasSubstr("127.0.0.1:5432"));
  EXPECT_THAT(assessment.waits_for, HasSubstr("90 % of the time that triggers take"));
  ASSERT_TRUE(assessment.before_answer_share);
  EXPECT_NEAR(*assessment.before_answer_share, 2.0 / 3, 0.01);
  EXPECT_NEAR(assessment.answer.p50, 2e-3, 1e-9);
  EXPECT_NEAR(assessment.spread.p50, 0.2e-3, 1e-9);
  EXPECT_NEAR(assessment.lag.p99, 20e-6, 1e-9);
  EXPECT_EQ(assessment.delivery.count, 2000u);
  EXPECT_NEAR(*assessment.user_per_delivery, 100e-6, 1e-9);
  EXPECT_NEAR(*assessment.system_per_delivery, 50e-6, 1e-9);
}

TEST(BroadcastTest, APoolInUseAllTheTimeIsADependencyToo) {
  BroadcastRun run;
  run.triggers([](Trigger& trigger) { trigger.answered_ns = trigger.sent_ns + 100 * ms; });
  run.recording.upstream_waits = {{1, Phase::hold, "127.0.0.1", 5432, 100, 1450 * ms, 20 * ms}};
  EXPECT_NE(assess_broadcast(run.recording).bottleneck, Bottleneck::dependency);
  Resource resource;
  resource.id = 7;
  resource.kind = ResourceKind::outgoing_socket;
  run.recording.resources.push_back(resource);
  SocketLife socket;
  socket.resource_id = 7;
  socket.remote_address = "127.0.0.1";
  socket.remote_port = 5432;
  run.recording.sockets.push_back(socket);
  const BroadcastAssessment assessment = assess_broadcast(run.recording);
  EXPECT_EQ(assessment.upstreams.at(0).connections, 1u);
  EXPECT_EQ(assessment.bottleneck, Bottleneck::dependency);
}

TEST(BroadcastTest, AReaderOfAQueueIsOnNoTriggersWay) {
  BroadcastRun run;
  run.recording.upstream_waits = {{1, Phase::hold, "127.0.0.1", 6379, 15, 1490 * ms, 100 * ms}};
  EXPECT_EQ(assess_broadcast(run.recording).bottleneck, Bottleneck::trigger);
}

TEST(BroadcastTest, ABusyToolMeasuresItself) {
  BroadcastRun run;
  run.recording.driver_loads[0].cpu_ns = 1200 * ms;
  const BroadcastAssessment assessment = assess_broadcast(run.recording);
  EXPECT_EQ(assessment.bottleneck, Bottleneck::driver);
  EXPECT_THAT(assessment.sentence, HasSubstr("bounded by the tool: its CPU is busy 80 %"));
}

TEST(BroadcastTest, LatenessIsTheToolsOnlyWithARequestFree) {
  BroadcastRun run;
  run.triggers([](Trigger& trigger) {
    // A pair that overlaps shows that two requests may be under way.
    if (trigger.number == 2) trigger.sent_ns = trigger.scheduled_ns = trigger.sent_ns - 9 * ms;
    if (trigger.number > 50) trigger.sent_ns = trigger.scheduled_ns + 5 * ms;
    trigger.answered_ns = trigger.sent_ns + 2 * ms;
  });
  const BroadcastAssessment assessment = assess_broadcast(run.recording);
  EXPECT_EQ(assessment.lag_of_driver, 50u);
  EXPECT_EQ(assessment.bottleneck, Bottleneck::driver);

  BroadcastRun slow;  // one request at a time, each answered just when the next one is due + 5 ms
  slow.triggers([](Trigger& trigger) {
    trigger.sent_ns = trigger.scheduled_ns + 5 * ms;
    trigger.answered_ns = trigger.sent_ns + 10 * ms;
  });
  EXPECT_LE(assess_broadcast(slow.recording).lag_of_driver, 1u);
}

TEST(BroadcastTest, ABusyLoop) {
  BroadcastRun run;
  run.recording.upstream_waits.clear();
  keep_busy(run.recording, 1450 * ms);
  EXPECT_EQ(assess_broadcast(run.recording).bottleneck, Bottleneck::loop);
}

TEST(BroadcastTest, ALoopThatAllTriggersWaitForNeedsNotBeQuiteFull) {
  BroadcastRun run;
  run.recording.upstream_waits.clear();
  keep_busy(run.recording, 1050 * ms);
  EXPECT_EQ(assess_broadcast(run.recording).bottleneck, Bottleneck::trigger);  // two of ten ms
  run.triggers([](Trigger& trigger) { trigger.answered_ns = trigger.sent_ns + 38 * ms; });
  const BroadcastAssessment assessment = assess_broadcast(run.recording);
  EXPECT_EQ(assessment.most_under_way, 4);
  EXPECT_EQ(assessment.bottleneck, Bottleneck::loop);
}

TEST(BroadcastTest, ALoopWithoutACpuIsTheMachines) {
  BroadcastRun run;
  run.recording.upstream_waits.clear();
  keep_busy(run.recording, 1450 * ms);
  run.recording.loop_activities[0].cpu_ns = 550 * ms;
  run.recording.loop_activities[0].delayed_ns = 900 * ms;
  const BroadcastAssessment assessment = assess_broadcast(run.recording);
  EXPECT_EQ(assessment.bottleneck, Bottleneck::machine);
  EXPECT_THAT(assessment.waits_for, HasSubstr("60 % of the time"));
}

// Where CPUs are short, the tool has what the server waits for, and more of them mend both.
TEST(BroadcastTest, ABusyToolOnAFullMachineIsTheMachines) {
  BroadcastRun run;
  run.recording.upstream_waits.clear();
  keep_busy(run.recording, 1450 * ms);
  run.recording.loop_activities[0].delayed_ns = 900 * ms;
  run.recording.driver_loads[0].cpu_ns = 1200 * ms;
  const BroadcastAssessment assessment = assess_broadcast(run.recording);
  EXPECT_EQ(assessment.bottleneck, Bottleneck::machine);
  EXPECT_THAT(assessment.waits_for,
              HasSubstr("others have the CPU, the tool among them with 80 %"));
}

TEST(BroadcastTest, AServerThatAnswersFirstAndBroadcastsLater) {
  BroadcastRun run;
  run.recording.upstream_waits.clear();
  run.triggers([](Trigger& trigger) {
    trigger.first_ns = trigger.sent_ns + 300 * ms;
    trigger.last_ns = trigger.sent_ns + 301 * ms;
  });
  run.recording.latencies = {{1, LatencyKind::delivery, 299 * ms, 301 * ms, 2000},
                             {1, LatencyKind::after_answer, 297 * ms, 299 * ms, 2000}};
  const BroadcastAssessment assessment = assess_broadcast(run.recording);
  EXPECT_EQ(assessment.bottleneck, Bottleneck::trigger);
  EXPECT_THAT(assessment.waits_for,
              HasSubstr("99 % after the trigger is answered: the server broadcasts later"));
}

TEST(BroadcastTest, NothingIsLookedForInTwoMilliseconds) {
  BroadcastRun run;
  run.recording.upstream_waits.clear();
  EXPECT_EQ(assess_broadcast(run.recording).bottleneck, Bottleneck::trigger);
  run.triggers([](Trigger& trigger) { trigger.first_ns -= 1 * ms; });
  EXPECT_EQ(assess_broadcast(run.recording).bottleneck, Bottleneck::none);
}

// What one chat message makes: the next is sent as soon as somebody has it.
TEST(BroadcastTest, MessagesInTurnWaitForTheLoop) {
  BroadcastRun run;
  run.recording.upstream_waits.clear();
  run.triggers([](Trigger& trigger) { trigger.scheduled_ns = trigger.answered_ns = 0; });
  keep_busy(run.recording, 1050 * ms);
  const BroadcastAssessment assessment = assess_broadcast(run.recording);
  EXPECT_EQ(assessment.bottleneck, Bottleneck::loop);
  EXPECT_EQ(assessment.lag.count, 0u);
  EXPECT_NEAR(*assessment.triggers_per_second, 100, 1e-6) << "99 intervals of 10 ms";
}

TEST(BroadcastTest, AllTriggersFail) {
  BroadcastRun run;
  run.triggers([](Trigger& trigger) {
    trigger.http_status = 500;
    trigger.delivered = 0;
    trigger.first_ns = trigger.last_ns = 0;
  });
  run.recording.latencies.clear();
  const BroadcastAssessment assessment = assess_broadcast(run.recording);
  EXPECT_EQ(assessment.deliveries.well, 0u);
  EXPECT_EQ(assessment.deliveries.lost, 0u);
  EXPECT_EQ(assessment.bottleneck, Bottleneck::no_trigger);
  EXPECT_THAT(assessment.sentence, StartsWith("None of 100 triggers succeeded: HTTP 500."));
  EXPECT_FALSE(assessment.triggers_per_second);
}

TEST(BroadcastTest, NoTokenFound) {
  BroadcastRun run;
  run.triggers([](Trigger& trigger) {
    trigger.delivered = 0;
    trigger.first_ns = trigger.last_ns = 0;
  });
  run.recording.latencies.clear();
  run.recording.unmatched_messages = {{1, 2000, R"({"type":"commentary"})"}};
  const BroadcastAssessment assessment = assess_broadcast(run.recording);
  EXPECT_EQ(assessment.unmatched, 2000u);
  EXPECT_FALSE(assessment.deliveries.tokens_seen);
  EXPECT_THAT(assessment.sentence,
              StartsWith("What was delivered cannot be told: 2,000 messages came, none with "
                         "a token of ours"));
}

TEST(BroadcastTest, SlowReadersGrowTheServerOrTheKernel) {
  BroadcastRun run;
  run.recording.connections[0].slow = run.recording.connections[1].slow = true;
  set_gauge(run.recording, Point::held, GaugeKind::socket_send_queue, 4 * mib);
  const BroadcastAssessment kernel = assess_broadcast(run.recording);
  ASSERT_TRUE(kernel.slow);
  EXPECT_FALSE(kernel.slow->grows);
  EXPECT_EQ(*kernel.slow->kernel_growth, 4.0 * mib);
  set_gauge(run.recording, Point::held, GaugeKind::heap_live_external, 40 * mib);
  EXPECT_FALSE(assess_broadcast(run.recording).slow->grows)
      << "what was sent to two clients is 22 KB: it grows for something else";
  run.recording.driver_loads[0].bytes_received = 18 * 30 * 1024 * 1024;
  const BroadcastAssessment process = assess_broadcast(run.recording);
  EXPECT_TRUE(process.slow->grows);
  EXPECT_NEAR(*process.slow->unread, 56.0 * mib, 1);
  EXPECT_EQ(process.slow->clients, 2u);
}

TEST(BroadcastTest, NothingRecordedIsNothingClaimed) {
  const BroadcastAssessment assessment = assess_broadcast({});
  EXPECT_EQ(assessment.sentence, "No trigger was sent. The run has no recorded end.");
  EXPECT_FALSE(assessment.driver_share);
  EXPECT_FALSE(assessment.before_answer_share);
}

TEST(LatenciesTest, BucketsGiveUpperBoundsWithinTheirPrecision) {
  LatencyHistogram histogram;
  for (std::uint64_t i = 1; i <= 1000; ++i) histogram.add(i * 10'000);
  Recording recording;
  histogram.for_each([&](std::uint64_t lower, std::uint64_t upper, std::uint64_t count) {
    recording.latencies.push_back({1, LatencyKind::delivery, lower, upper, count});
  });
  const Latencies latencies = latencies_of(recording, 1, LatencyKind::delivery);
  EXPECT_EQ(latencies.count, 1000u);
  for (const auto& [found, truth] :
       {std::pair{latencies.p50, 5e-3}, {latencies.p99, 9.9e-3}, {latencies.max, 10e-3}}) {
    EXPECT_GE(found, truth);
    EXPECT_LE(found, truth * (1 + 1.0 / 128));
  }
  EXPECT_NEAR(latencies.sum, 5.005, 5.005 / 128);
}

}  // namespace
}  // namespace ebbtide
