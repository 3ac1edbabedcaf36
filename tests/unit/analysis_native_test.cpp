// Native memory: blocks in use decide, and what an allocator keeps is no leak.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>

#include "analysis/verdict.h"
#include "analysis_recordings.h"

namespace ebbtide {
namespace {

using testing::HasSubstr;
using testing::Not;

constexpr double kib = 1024;
constexpr double mib = 1024 * kib;

RunBuilder::Level leaking(double bytes, double base = 8 * mib) {
  return [=](double connections, double) { return base + bytes * connections; };
}

// A server whose blocks, arenas and whole anonymous memory have these levels, all else flat.
struct Native {
  RunBuilder::Level in_use = constant(6 * mib);
  RunBuilder::Level arenas = constant(8 * mib);
  RunBuilder::Level anon = constant(30 * mib);
  RunBuilder::Level mmapped = constant(0);
};

Assessment assessed(const std::string& runtime, const Native& levels) {
  RunBuilder run(100, runtime);
  run.designed(10);
  run.gauge(GaugeKind::fds, constant(20)).gauge(GaugeKind::swap, constant(0));
  run.gauge(GaugeKind::anon, levels.anon).gauge(GaugeKind::malloc_resident, levels.arenas);
  run.gauge(GaugeKind::malloc_in_use, levels.in_use);
  run.gauge(GaugeKind::malloc_mmapped, levels.mmapped);
  if (!runtime.empty()) {
    run.gauge(GaugeKind::heap_used, constant(5 * mib)).gauge(GaugeKind::external, constant(mib));
    run.gauge(GaugeKind::heap_total, constant(8 * mib));
  }
  return assess(run.recording);
}

class NativeMemoryOf : public testing::TestWithParam<std::string> {
 protected:
  static Assessment of(const Native& levels) { return assessed(GetParam(), levels); }
};

TEST_P(NativeMemoryOf, ASmallLeakOfBlocksIsALeak) {
  const Assessment assessment = of({.in_use = leaking(kib)});
  EXPECT_EQ(assessment.verdict, Verdict::leak);
  EXPECT_THAT(assessment.sentence,
              HasSubstr("each connection leaves 1.0 KB of native memory (malloc) behind"));
}

TEST_P(NativeMemoryOf, WhatTheArenasKeepIsNone) {
  const Assessment assessment = of({.arenas = leaking(48 * kib), .anon = leaking(48 * kib)});
  EXPECT_EQ(assessment.verdict, Verdict::no_leak) << assessment.sentence;
}

TEST_P(NativeMemoryOf, WhatLiesOutsideOfTheArenasIsOneStill) {
  const Assessment assessment = of({.anon = leaking(48 * kib)});
  EXPECT_EQ(assessment.verdict, Verdict::leak);
  EXPECT_THAT(assessment.sentence, HasSubstr("48.0 KB of "));
  EXPECT_THAT(assessment.sentence, HasSubstr("malloc behind"));
}

TEST_P(NativeMemoryOf, LargeBlocksAreCountedOnce) {
  const Native levels{
      .in_use = leaking(200 * kib), .anon = leaking(200 * kib), .mmapped = leaking(200 * kib, 0)};
  const Assessment assessment = of(levels);
  EXPECT_EQ(assessment.verdict, Verdict::leak);
  const auto leaks = std::ranges::count_if(assessment.judgements, [](const Judgement& judgement) {
    return judgement.decisive && judgement.verdict == Verdict::leak;
  });
  EXPECT_EQ(leaks, 1);
}

TEST_P(NativeMemoryOf, ArenasThatFilledUpOnceAreNone) {
  const auto filling = [](double base) {
    return [base](double c, double) { return base + 40 * mib * (1 - std::exp(-c / 200)); };
  };
  const Assessment assessment = of({.arenas = filling(8 * mib), .anon = filling(30 * mib)});
  EXPECT_EQ(assessment.verdict, Verdict::no_leak) << assessment.sentence;
}

INSTANTIATE_TEST_SUITE_P(Runtimes, NativeMemoryOf, testing::Values("node", ""),
                         [](const auto& info) { return info.param.empty() ? "none" : info.param; });

TEST(NativeMemory, BlocksThatGarbageHoldsDecideNothing) {
  RunBuilder run;
  run.designed(10).gauge(GaugeKind::heap_live, constant(5 * mib));
  run.gauge(GaugeKind::heap_live_external, constant(mib));
  run.gauge(GaugeKind::malloc_in_use, leaking(16 * kib));
  EXPECT_EQ(assess(run.recording).verdict, Verdict::no_leak);
}

TEST(NativeMemory, GrowthOfTheHeapSurvivesOnlyWhereBlocksAreNotCounted) {
  RunBuilder run(100, "");
  run.cycles(10).gauge(GaugeKind::anon, constant(30 * mib));
  for (std::uint32_t cycle = 1; cycle <= 10; ++cycle)
    run.resources(ResourceKind::mapping, cycle, 30, 0, 132 * 1024);
  for (Resource& resource : run.recording.resources) resource.label = "heap (brk)";
  EXPECT_EQ(assess(run.recording).verdict, Verdict::leak);
  run.gauge(GaugeKind::malloc_in_use, constant(6 * mib));
  EXPECT_EQ(assess(run.recording).verdict, Verdict::no_leak);
}

TEST(NativeMemory, ResidentMemoryAloneSaysThatItIsAlone) {
  RunBuilder run(100, "");
  run.designed(10).gauge(GaugeKind::anon, leaking(16 * kib));
  const Assessment alone = assess(run.recording);
  EXPECT_EQ(alone.verdict, Verdict::leak);
  EXPECT_THAT(alone.sentence, HasSubstr("resident memory alone says so"));
  run.gauge(GaugeKind::malloc_in_use, leaking(16 * kib));
  EXPECT_THAT(assess(run.recording).sentence, Not(HasSubstr("alone")));
}

TEST(NativeMemory, BothLimitsAreNamedWhereBothDecide) {
  EXPECT_THAT(
      assessed("", {}).sentence,
      testing::ContainsRegex("more than [0-9.]+ K?B of native memory \\(malloc\\), or of more "
                             "than [0-9.]+ K?B of anonymous memory beside malloc"));
}

}  // namespace
}  // namespace ebbtide
