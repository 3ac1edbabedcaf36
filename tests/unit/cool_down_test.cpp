// What a target gives back while nobody connects is no leak.
#include "analysis/cool_down.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>

#include "analysis/verdict.h"
#include "analysis_recordings.h"

namespace ebbtide {
namespace {

using testing::HasSubstr;

constexpr double most = 90;

// Ten cycles after which 3 KB of V8 heap of each connection are left, and then `left` of it behind
// a cool-down of ten seconds.
Recording rested(double left) {
  RunBuilder run;
  run.designed(10);
  const auto driven = static_cast<std::uint32_t>(run.recording.cycles.size());
  run.cool_down(10);
  run.gauge(GaugeKind::heap_used, [&](double connections, double) { return 3000 * connections; });
  for (Gauge& gauge : run.recording.gauges) {
    if (gauge.cycle > driven) {
      gauge.value = static_cast<std::int64_t>(static_cast<double>(gauge.value) * left);
    }
  }
  run.recording.heap_censuses = {{.cycle = 0, .isolate = "main"},
                                 {.cycle = driven, .isolate = "main"}};
  return run.recording;
}

Recording without_cool_down() {
  Recording recording = rested(1);
  const CoolDown cool_down = find_cool_down(recording);
  std::erase_if(recording.cycles, [&](const Cycle& each) { return cool_down.has(each.number); });
  std::erase_if(recording.phases, [&](const PhaseSpan& each) { return cool_down.has(each.cycle); });
  return recording;
}

HeapTimer timer(std::uint32_t cycle, std::uint64_t delay_ms, bool repeats, std::uint64_t count,
                const std::string& script) {
  return {.cycle = cycle,
          .isolate = "main",
          .callback = {script, script.empty() ? 0U : 7U, 1, ""},
          .delay_ms = delay_ms,
          .repeats = repeats,
          .count = count};
}

double needed(const Recording& recording) {
  return cool_down_needed(recording, assess(recording), most);
}

TEST(CoolDown, WhatStaysIsALeakAndSaysSo) {
  const Recording run = rested(1);
  EXPECT_NEAR(find_cool_down(run).seconds, 10, 0.01);
  const Assessment assessment = assess(run);
  EXPECT_EQ(assessment.verdict, Verdict::leak);
  EXPECT_THAT(assessment.sentence, HasSubstr("still there after 10 s without connections"));
}

TEST(CoolDown, WhatComesBackIsNone) {
  const Assessment assessment = assess(rested(0));
  EXPECT_EQ(assessment.verdict, Verdict::no_leak) << assessment.sentence;
  EXPECT_THAT(assessment.sentence, HasSubstr("of each late, within 10 s"));
  EXPECT_NEAR(assessment.judgements.front().late_return, 3300, 400);
}

TEST(CoolDown, HalfOfItNeedsMoreTime) {
  const Recording run = rested(0.4);
  EXPECT_EQ(assess(run).verdict, Verdict::inconclusive);
  EXPECT_THAT(assess(run).sentence, HasSubstr("given back late: "));
}

TEST(CoolDown, AThirdOfItIsStillALeak) { EXPECT_EQ(assess(rested(0.7)).verdict, Verdict::leak); }

TEST(CoolDown, IsTakenForAsLongAsATimerIsPending) {
  Recording run = without_cool_down();
  const std::uint32_t last = run.cycles.back().number;
  ASSERT_EQ(assess(run).verdict, Verdict::leak);
  EXPECT_EQ(needed(run), 0) << "no timer runs";
  run.heap_timers = {timer(last, 30'000, false, 20, "/srv/server.js")};
  EXPECT_NEAR(needed(run), 31, 0.01);
  run.heap_timers = {timer(last, 500, true, 1, "/srv/server.js")};
  EXPECT_EQ(needed(run), most) << "a sweep looks at ages of its own";
  run.heap_timers = {timer(last, 600'000, true, 1, "/srv/server.js"),
                     timer(last, 600'000, false, 900, "/srv/server.js")};
  EXPECT_EQ(needed(run), 0) << "they fire when the cool-down is long over";
}

TEST(CoolDown, TimersOfTheRuntimeCountWhenConnectionsBeganThem) {
  Recording run = without_cool_down();
  const std::uint32_t last = run.cycles.back().number;
  run.heap_timers = {timer(0, 30'000, true, 1, ""), timer(last, 30'000, true, 1, "")};
  EXPECT_EQ(needed(run), 0) << "the HTTP server's own";
  run.heap_timers.push_back(timer(last, 5'000, false, 900, ""));
  EXPECT_NEAR(needed(run), 6, 0.01) << "a time limit of each socket";
}

TEST(CoolDown, OfOtherTargetsNothingIsKnown) {
  Recording run = without_cool_down();
  run.heap_censuses.clear();
  EXPECT_EQ(needed(run), most);
}

TEST(CoolDown, EndsWithTheTimeThatIsPending) {
  Recording run = rested(1);
  run.heap_timers = {timer(run.cycles.back().number - 1, 30'000, false, 20, "/srv/server.js")};
  EXPECT_NEAR(needed(run), 21, 0.01);
  EXPECT_EQ(needed(rested(0)), 0) << "all of it came back";
}

TEST(CoolDown, SurvivorsAreCountedBehindIt) {
  for (const bool late : {true, false}) {
    RunBuilder run;
    run.designed(10);
    run.gauge(GaugeKind::heap_used, constant(1e6));
    const std::uint64_t closed_ns = run.recording.cycles.back().end_ns + second_ns;
    for (const Cycle& cycle : run.recording.cycles) {
      run.resources(ResourceKind::fd, cycle.number, cycle.dose, late ? closed_ns : 0);
    }
    EXPECT_EQ(assess(run.recording).verdict, Verdict::leak);
    run.cool_down(10);
    const Assessment assessment = assess(run.recording);
    EXPECT_EQ(assessment.verdict, late ? Verdict::no_leak : Verdict::leak) << assessment.sentence;
  }
}

}  // namespace
}  // namespace ebbtide
