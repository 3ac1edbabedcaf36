#include "analysis/verdict.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>
#include <limits>
#include <map>

#include "analysis_recordings.h"

namespace ebbtide {
namespace {

using testing::HasSubstr;
using testing::Not;
using testing::StartsWith;

constexpr std::uint8_t close_wait = 8;
constexpr double kib = 1024;
constexpr double mib = 1024 * kib;

const Judgement& judgement_of(const Assessment& assessment, GaugeKind gauge) {
  for (const Judgement& judgement : assessment.judgements) {
    if (judgement.evidence == Judgement::Evidence::gauge && judgement.gauge == gauge) {
      return judgement;
    }
  }
  throw std::out_of_range("no such judgement");
}

const Judgement& judgement_of(const Assessment& assessment, ResourceKind kind) {
  for (const Judgement& judgement : assessment.judgements) {
    if (judgement.evidence == Judgement::Evidence::survivors && judgement.resource == kind) {
      return judgement;
    }
  }
  throw std::out_of_range("no such judgement");
}

RunBuilder ten_cycles(std::string runtime = "node") {
  RunBuilder run(100, std::move(runtime));
  run.idle().cycles(10).idle();
  return run;
}

RunBuilder::Level leaking(double per_connection) {
  return
      [per_connection](double connections, double) { return mib + per_connection * connections; };
}

TEST(VerdictTest, CallsALeakWithItsSize) {
  auto run = ten_cycles();
  run.gauge(GaugeKind::heap_used, leaking(64 * kib)).gauge(GaugeKind::fds, constant(20));
  const Assessment assessment = assess(run.recording);
  EXPECT_EQ(assessment.verdict, Verdict::leak);
  EXPECT_EQ(assessment.cycles, 10u);
  EXPECT_EQ(assessment.connections, 1000u);
  EXPECT_EQ(assessment.sentence,
            "LEAK: each connection leaves 64.0 KB of V8 heap behind (97.5 % interval 64.0–64.0 KB, "
            "10 settle points, 1,000 connections).");
}

TEST(VerdictTest, SaysWhatItWouldHaveSeen) {
  auto run = ten_cycles();
  run.gauge(GaugeKind::heap_used, leaking(12)).gauge(GaugeKind::fds, constant(20));
  const Assessment assessment = assess(run.recording);
  EXPECT_EQ(assessment.verdict, Verdict::no_leak);
  EXPECT_EQ(assessment.sentence,
            "NO LEAK: what 1,000 connections took came back; a leak of more than 114 B of V8 heap "
            "per connection would have been seen (measured 12 B, 97.5 % interval 11–12 B, 10 "
            "settle points).");
}

TEST(VerdictTest, AFallingFloorDoesNotGrow) {
  auto run = ten_cycles();
  run.gauge(GaugeKind::heap_used, leaking(-121));
  EXPECT_THAT(assess(run.recording).sentence, HasSubstr("(measured −121 B, "));
}

TEST(VerdictTest, LongerRunsSeeSmallerLeaks) {
  RunBuilder run;
  run.idle().cycles(40).idle().gauge(GaugeKind::heap_used, leaking(400));
  EXPECT_EQ(assess(run.recording).verdict, Verdict::leak);
}

TEST(VerdictTest, ACacheThatFilledUpSaturates) {
  auto run = ten_cycles();
  run.gauge(GaugeKind::heap_used,
            [](double connections, double) { return 16 * kib * std::min(connections, 400.0); });
  const Assessment assessment = assess(run.recording);
  EXPECT_EQ(assessment.verdict, Verdict::saturating);
  EXPECT_THAT(assessment.sentence, StartsWith("SATURATING: V8 heap used grew by 4.7 MB after"));
}

TEST(VerdictTest, GrowthThatMayJustHaveStoppedIsNeitherLeakNorCache) {
  auto run = ten_cycles();
  run.gauge(GaugeKind::heap_used,
            [](double connections, double) { return 16 * kib * std::min(connections, 900.0); });
  const Assessment assessment = assess(run.recording);
  EXPECT_EQ(assessment.verdict, Verdict::inconclusive);
  EXPECT_THAT(assessment.sentence, HasSubstr("grew in every cycle but the last"));
}

TEST(VerdictTest, GrowthByTheClockIsNotTheConnections) {
  auto run = ten_cycles();
  run.gauge(GaugeKind::heap_used, [](double, double seconds) { return 210 * kib * seconds; });
  const Assessment assessment = assess(run.recording);
  EXPECT_EQ(assessment.verdict, Verdict::no_leak);
  EXPECT_THAT(
      assessment.sentence,
      HasSubstr("V8 heap used grows by 210.0 KB per second whether or not anyone connects"));
  EXPECT_NEAR(judgement_of(assessment, GaugeKind::heap_used).drift_per_second, 210 * kib, 1);
}

TEST(VerdictTest, OneIdleControlTellsASteadyClock) {
  RunBuilder run;
  run.cycles(5).idle().cycles(5);
  run.gauge(GaugeKind::heap_used, [](double, double seconds) { return 210 * kib * seconds; });
  const Assessment assessment = assess(run.recording);
  EXPECT_EQ(assessment.verdict, Verdict::no_leak);
  EXPECT_NEAR(judgement_of(assessment, GaugeKind::heap_used).drift_per_second, 210 * kib, 1);
}

// What the last burst leaves until the next one replaces it, as Node's heap does: 300 B a
// connection.
TEST(VerdictTest, WhatFollowsTheLastDoseIsNoLeak) {
  RunBuilder run;
  run.designed(10);
  std::map<double, double> dose_at = {{0, 0}};
  double connections = 0;
  for (const Cycle& cycle : run.recording.cycles) {
    connections += cycle.established;
    if (cycle.dose > 0) dose_at[connections] = cycle.established;
  }
  run.gauge(GaugeKind::heap_used, [&](double x, double) { return mib + 300 * dose_at.at(x); });
  const Assessment assessment = assess(run.recording);
  EXPECT_EQ(assessment.verdict, Verdict::no_leak) << assessment.sentence;
  EXPECT_NEAR(judgement_of(assessment, GaugeKind::heap_used).per_connection, 0, 20);
}

// Only varied doses tell these from a leak of the same size.
TEST(VerdictTest, GrowthThatEveryCycleBringsIsNotTheConnections) {
  RunBuilder run;
  run.designed(10);
  std::map<double, double> cycles_at = {{0, 0}};
  double connections = 0;
  for (const Cycle& cycle : run.recording.cycles) {
    if (cycle.dose > 0) cycles_at[connections + cycle.dose] = cycles_at.at(connections) + 1;
    connections += cycle.dose;
  }
  run.gauge(GaugeKind::heap_used, [&](double x, double) { return 50 * kib * cycles_at.at(x); });
  const Judgement judgement = judgement_of(assess(run.recording), GaugeKind::heap_used);
  EXPECT_NE(judgement.verdict, Verdict::leak);
  EXPECT_NEAR(judgement.per_connection, 0, 20);
  EXPECT_NEAR(judgement.per_cycle, 50 * kib, kib);
}

TEST(VerdictTest, FallingWhileIdleDoesNotMakeALeak) {
  RunBuilder run;
  run.cycles(3).idle().cycles(3).idle().cycles(4).idle();
  // What is released late: the floor falls in every idle stretch to where it was.
  run.gauge(GaugeKind::heap_used,
            [](double connections, double) { return mib - 30 * connections; });
  auto& gauges = run.recording.gauges;
  for (auto& gauge : gauges) {
    const bool idle = gauge.cycle == 4 || gauge.cycle == 8 || gauge.cycle == 13;
    if (gauge.cycle > 0 && !idle) gauge.value += 300'000;
  }
  EXPECT_NE(assess(run.recording).verdict, Verdict::leak);
}

TEST(VerdictTest, V8WithoutForcedGcIsNotGuessedAt) {
  auto run = ten_cycles();
  run.gauge(GaugeKind::rss, leaking(64 * kib)).gauge(GaugeKind::anon, leaking(64 * kib));
  run.gauge(GaugeKind::fds, constant(20));
  const Assessment assessment = assess(run.recording);
  EXPECT_EQ(assessment.verdict, Verdict::inconclusive);
  EXPECT_THAT(assessment.sentence, HasSubstr("allow the heap census or the inspector"));
}

TEST(VerdictTest, CountsSayLeakWithoutAnyHeapGauge) {
  auto run = ten_cycles();
  run.gauge(GaugeKind::fds, [](double connections, double) { return 20 + connections; });
  run.sockets([](auto, auto) { return true; }, close_wait);
  const Assessment assessment = assess(run.recording);
  EXPECT_EQ(assessment.verdict, Verdict::leak);
  EXPECT_THAT(assessment.sentence,
              StartsWith("LEAK: each connection leaves 1.00 file descriptors behind, in CLOSE_WAIT "
                         "(the peer closed, the server never did)"));
}

TEST(VerdictTest, ResidentMemoryOfV8NeedsSteadyNativeGrowth) {
  const auto heap = constant(8 * mib);
  const auto with_anon = [&](const RunBuilder::Level& anon) {
    auto run = ten_cycles();
    run.gauge(GaugeKind::heap_used, heap).gauge(GaugeKind::heap_total, heap);
    run.gauge(GaugeKind::external, constant(mib)).gauge(GaugeKind::anon, anon);
    return assess(run.recording);
  };
  const Assessment native = with_anon(leaking(48 * kib));
  EXPECT_EQ(native.verdict, Verdict::leak);
  EXPECT_THAT(native.sentence, HasSubstr("48.0 KB of native memory beside V8"));
  EXPECT_EQ(with_anon(leaking(3 * kib)).verdict, Verdict::no_leak);
  // Thread pool and deflate contexts: much at first, then little.
  EXPECT_EQ(with_anon([](double c, double) { return 40 * mib * (1 - std::exp(-c / 200)); }).verdict,
            Verdict::no_leak);
}

TEST(VerdictTest, HeapGrowthIsNotCountedAgainAsNativeMemory) {
  auto run = ten_cycles();
  run.gauge(GaugeKind::heap_used, leaking(64 * kib)).gauge(GaugeKind::external, constant(mib));
  run.gauge(GaugeKind::anon, leaking(66 * kib));
  EXPECT_THAT(assess(run.recording).sentence, Not(HasSubstr("native")));
}

TEST(VerdictTest, AnonymousMemoryDecidesElsewhereSwapIncluded) {
  auto run = ten_cycles("");
  run.gauge(GaugeKind::anon, constant(30 * mib)).gauge(GaugeKind::rss, constant(50 * mib));
  EXPECT_EQ(assess(run.recording).verdict, Verdict::no_leak);
  run.gauge(GaugeKind::swap, leaking(16 * kib));
  const Assessment assessment = assess(run.recording);
  EXPECT_EQ(assessment.verdict, Verdict::leak);
  EXPECT_THAT(assessment.sentence, HasSubstr("16.0 KB of anonymous memory"));
}

TEST(VerdictTest, TooFewCyclesSaySo) {
  RunBuilder run;
  run.idle().cycles(3).idle().gauge(GaugeKind::heap_used, leaking(64 * kib));
  const Assessment assessment = assess(run.recording);
  EXPECT_EQ(assessment.verdict, Verdict::inconclusive);
  EXPECT_THAT(assessment.sentence, HasSubstr("3 settle points"));
}

TEST(VerdictTest, ClearSurvivorsNeedFewCycles) {
  RunBuilder run;
  run.cycles(3).gauge(GaugeKind::heap_used, constant(mib));
  run.sockets([](auto, auto) { return true; }, close_wait);
  EXPECT_EQ(assess(run.recording).verdict, Verdict::leak);
}

TEST(VerdictTest, SurvivorsOfALossyRunAccuseNobody) {
  auto run = ten_cycles();
  run.gauge(GaugeKind::heap_used, constant(mib)).gauge(GaugeKind::sockets_accepted, constant(0));
  run.sockets([](auto, auto) { return true; }, close_wait);
  run.recording.losses = {
      {"stack hash collisions", 5}, {"mapping bytes corrected", 4096}, {"ring buffer records", 12}};
  const Assessment assessment = assess(run.recording);
  const Judgement& judgement = judgement_of(assessment, ResourceKind::accepted_socket);
  EXPECT_EQ(judgement.verdict, Verdict::inconclusive);
  EXPECT_FALSE(judgement.decisive);
  EXPECT_THAT(judgement.reason, HasSubstr("12 records were lost"));
  EXPECT_EQ(assessment.verdict, Verdict::no_leak);
}

TEST(VerdictTest, ADeadTargetIsNotExonerated) {
  auto run = ten_cycles();
  run.gauge(GaugeKind::heap_used, constant(mib));
  run.recording.end.reason = EndReason::target_killed;
  run.recording.end.detail = "signal 11 (Segmentation fault)";
  const Assessment assessment = assess(run.recording);
  EXPECT_EQ(assessment.verdict, Verdict::inconclusive);
  EXPECT_THAT(assessment.sentence, HasSubstr("the target was killed (signal 11"));
}

TEST(VerdictTest, FewEstablishedConnectionsExonerateNobody) {
  auto run = ten_cycles();
  for (Cycle& cycle : run.recording.cycles) cycle.established = cycle.dose / 4;
  run.gauge(GaugeKind::heap_used, constant(mib));
  const Assessment assessment = assess(run.recording);
  EXPECT_EQ(assessment.verdict, Verdict::inconclusive);
  EXPECT_EQ(assessment.sentence, "INCONCLUSIVE: only 250 of 1,000 connections were established.");
}

RunBuilder held_by_others(std::int64_t held, std::int64_t elsewhere) {
  auto run = ten_cycles();
  for (const Cycle& cycle : run.recording.cycles) {
    if (cycle.dose == 0) continue;
    run.gauge(GaugeKind::sockets_held, Point::opened, cycle.number, held);
    run.gauge(GaugeKind::sockets_held_elsewhere, Point::opened, cycle.number, elsewhere);
  }
  return run;
}

TEST(VerdictTest, AProcessThatNeverHeldTheConnectionsIsNotExonerated) {
  auto run = held_by_others(0, 100);
  run.gauge(GaugeKind::heap_used, constant(mib));
  const Assessment assessment = assess(run.recording);
  EXPECT_EQ(assessment.verdict, Verdict::inconclusive);
  EXPECT_THAT(assessment.sentence,
              StartsWith("INCONCLUSIVE: the traced process never held the connections; "));
}

TEST(VerdictTest, OneWorkerOfThreeIsNotTheWhole) {
  auto run = held_by_others(34, 66);
  run.gauge(GaugeKind::heap_used, constant(mib));
  EXPECT_THAT(assess(run.recording).sentence,
              StartsWith("INCONCLUSIVE: other processes held 660 of the 1,000 connections; "));
  run = held_by_others(34, 66);
  run.gauge(GaugeKind::heap_used, leaking(64 * kib));
  const Assessment assessment = assess(run.recording);
  EXPECT_EQ(assessment.verdict, Verdict::leak);
  EXPECT_THAT(assessment.sentence, HasSubstr("; other processes held 660 of"));
}

// A few may be on their way, and a server may be done with all of them already.
TEST(VerdictTest, WhoHeldTheConnectionsIsNoDoubtWithoutOthers) {
  for (const auto& [held, elsewhere] : {std::pair{96, 4}, std::pair{100, 0}, std::pair{0, 0}}) {
    auto run = held_by_others(held, elsewhere);
    run.gauge(GaugeKind::heap_used, constant(mib));
    EXPECT_EQ(assess(run.recording).verdict, Verdict::no_leak);
  }
}

TEST(VerdictTest, TheMostTellingJudgementComesFirst) {
  auto run = ten_cycles();
  run.gauge(GaugeKind::rss, leaking(64 * kib)).gauge(GaugeKind::fds, constant(20));
  run.gauge(GaugeKind::heap_used, leaking(64 * kib));
  const auto judgements = assess(run.recording).judgements;
  EXPECT_EQ(judgements.front().gauge, GaugeKind::heap_used);
  EXPECT_FALSE(judgements.back().decisive);
}

// Nothing here may crash, and no number may be anything but a number.
void expect_sane(const Recording& recording) {
  const Assessment assessment = assess(recording);
  EXPECT_FALSE(assessment.sentence.empty());
  for (const Judgement& judgement : assessment.judgements) {
    for (const double value :
         {judgement.per_connection, judgement.interval.low, judgement.interval.high,
          judgement.limit, judgement.drift_per_second}) {
      EXPECT_TRUE(std::isfinite(value)) << judgement.subject;
    }
    EXPECT_LE(judgement.interval.low, judgement.interval.high) << judgement.subject;
    EXPECT_FALSE(judgement.reason.empty()) << judgement.subject;
  }
}

TEST(DegenerateTest, NothingAtAll) {
  expect_sane({});
  EXPECT_EQ(assess({}).verdict, Verdict::inconclusive);
}

TEST(DegenerateTest, AnyNumberOfCyclesWithEveryGaugeEqual) {
  for (std::uint32_t count = 0; count <= 6; ++count) {
    RunBuilder run;
    run.cycles(count);
    for (std::size_t kind = 0; kind < gauge_kind_count; ++kind) {
      run.gauge(static_cast<GaugeKind>(kind), constant(7));
    }
    expect_sane(run.recording);
    EXPECT_NE(assess(run.recording).verdict, Verdict::leak);
  }
}

TEST(DegenerateTest, CyclesWithoutGauges) {
  RunBuilder run;
  run.cycles(10);
  expect_sane(run.recording);
  EXPECT_EQ(assess(run.recording).verdict, Verdict::inconclusive);
}

TEST(DegenerateTest, NoConnectionEver) {
  RunBuilder run;
  run.cycles(10);
  for (Cycle& cycle : run.recording.cycles) cycle.established = 0;
  run.gauge(GaugeKind::heap_used, constant(mib)).gauge(GaugeKind::fds, constant(3));
  expect_sane(run.recording);
  EXPECT_EQ(assess(run.recording).verdict, Verdict::inconclusive);
}

TEST(DegenerateTest, OnlyIdleCycles) {
  RunBuilder run;
  run.idle().idle().idle().gauge(GaugeKind::heap_used, constant(mib));
  expect_sane(run.recording);
  EXPECT_EQ(assess(run.recording).verdict, Verdict::inconclusive);
}

TEST(DegenerateTest, MissingReadingsAreSkipped) {
  auto run = ten_cycles();
  run.gauge(GaugeKind::heap_used, leaking(64 * kib));
  std::erase_if(run.recording.gauges, [](const Gauge& gauge) {
    return gauge.cycle == 0 || gauge.cycle == 4 || gauge.cycle == 7;
  });
  expect_sane(run.recording);
  const Assessment assessment = assess(run.recording);
  EXPECT_EQ(assessment.verdict, Verdict::leak);
  EXPECT_NEAR(judgement_of(assessment, GaugeKind::heap_used).per_connection, 64 * kib, 1);
}

TEST(DegenerateTest, AbsurdNumbersOfADamagedFile) {
  auto run = ten_cycles();
  run.gauge(GaugeKind::heap_used, constant(mib)).gauge(GaugeKind::fds, constant(3));
  run.sockets([](auto, auto) { return true; }, 255);
  for (std::size_t i = 0; i < run.recording.gauges.size(); ++i) {
    Gauge& gauge = run.recording.gauges[i];
    gauge.value = i % 2 == 0 ? std::numeric_limits<std::int64_t>::min()
                             : std::numeric_limits<std::int64_t>::max();
    gauge.ts_ns = i % 3 == 0 ? 0 : std::numeric_limits<std::uint64_t>::max();
  }
  run.recording.cycles[3].end_ns = 0;
  expect_sane(run.recording);
}

}  // namespace
}  // namespace ebbtide
