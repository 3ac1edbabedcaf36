// How often is the verdict wrong? Ten cycles of a hundred connections on simulated servers, doses
// and idle controls as planned. `make bench` counts it on thousands of runs (tests/bench/).
#include <gtest/gtest.h>

#include <cmath>
#include <map>

#include "analysis/statistics.h"
#include "analysis/verdict.h"
#include "analysis_recordings.h"
#include "simulated_server.h"

namespace ebbtide {
namespace {

constexpr int seeds = 300;
constexpr double kib = 1024;
constexpr double quiet = 10 * kib;  // standard deviation of a settled heap, as on small servers
constexpr double noisy = 20 * kib;

// Verdicts on the heap of a server that behaves like `truth`, by how often they were given.
std::map<Verdict, int> verdicts(const RunBuilder::Level& truth, double noise) {
  std::map<Verdict, int> given;
  for (int seed = 1; seed <= seeds; ++seed) {
    SplitMix64 random(static_cast<std::uint64_t>(seed));
    RunBuilder run;
    run.designed(10);
    run.gauge(GaugeKind::heap_used, [&](double connections, double seconds) {
      return 20'000 * kib + truth(connections, seconds) + noise * normal(random);
    });
    ++given[assess(run.recording).verdict];
  }
  return given;
}

RunBuilder::Level leak(double per_connection) {
  return [per_connection](double connections, double) { return per_connection * connections; };
}

TEST(SimulationTest, CleanServersAreNeverAccusedAndMostlyCleared) {
  auto given = verdicts(leak(0), noisy);
  EXPECT_EQ(given[Verdict::leak], 0);
  EXPECT_GE(given[Verdict::no_leak], seeds * 95 / 100);
}

// Ten cycles do not tell it from a leak of that size; they ask for more.
TEST(SimulationTest, TheWorstCleanServerEverMeasuredIsNotAccused) {
  auto given = verdicts(leak(461), noisy);
  EXPECT_LE(given[Verdict::leak], seeds / 100);
  EXPECT_LE(given[Verdict::no_leak], seeds / 100);
}

TEST(SimulationTest, ASawToothIsNoLeak) {
  auto given = verdicts(
      [](double connections, double) { return 150 * kib * std::fmod(connections / 400, 1); },
      quiet);
  EXPECT_EQ(given[Verdict::leak], 0);
  EXPECT_GE(given[Verdict::no_leak], seeds * 90 / 100);
}

TEST(SimulationTest, ALeakOf1536BytesIsSeen) {
  auto given = verdicts(leak(1536), quiet);
  EXPECT_GE(given[Verdict::leak], seeds * 98 / 100);
  EXPECT_EQ(given[Verdict::no_leak], 0);
}

TEST(SimulationTest, ALeakOf1536BytesIsNotClearedInNoise) {
  auto given = verdicts(leak(1536), noisy);
  EXPECT_GE(given[Verdict::leak], seeds * 70 / 100);
  EXPECT_EQ(given[Verdict::no_leak] + given[Verdict::saturating], 0);
}

TEST(SimulationTest, ALeakOf16KilobytesIsAlwaysSeen) {
  auto given = verdicts(leak(16 * kib), noisy);
  EXPECT_EQ(given[Verdict::leak], seeds);
}

TEST(SimulationTest, ACacheFullAfterFourCyclesSaturates) {
  auto given = verdicts(
      [](double connections, double) { return 16 * kib * std::min(connections, 400.0); }, noisy);
  EXPECT_EQ(given[Verdict::leak], 0);
  EXPECT_GE(given[Verdict::saturating], seeds * 95 / 100);
}

TEST(SimulationTest, GrowthByTheClockIsNoLeak) {
  auto given = verdicts([](double, double seconds) { return 210 * kib * seconds; }, quiet);
  EXPECT_EQ(given[Verdict::leak], 0);
  EXPECT_GE(given[Verdict::no_leak], seeds * 95 / 100);
}

TEST(SimulationTest, ALeakIsSeenThroughGrowthByTheClock) {
  auto given = verdicts([](double connections,
                           double seconds) { return 16 * kib * connections + 210 * kib * seconds; },
                        noisy);
  EXPECT_EQ(given[Verdict::leak], seeds);
}

TEST(SimulationTest, AWarmUpJumpIsNoLeak) {
  auto given = verdicts(
      [](double connections, double) { return connections >= 100 ? 8'000 * kib : 0; }, noisy);
  EXPECT_EQ(given[Verdict::leak], 0);
  EXPECT_GE(given[Verdict::no_leak], seeds * 95 / 100);
}

TEST(SimulationTest, AJumpInMidRunIsNoLeak) {
  auto given = verdicts(
      [](double connections, double) { return connections >= 600 ? 8'000 * kib : 0; }, noisy);
  EXPECT_EQ(given[Verdict::leak], 0);
}

// A server of each kind for each seed, which leaks nothing, or four times what the run would print
// as its limit; looked at until that is decided.
std::map<Verdict, int> whole_runs(double multiple) {
  std::map<Verdict, int> given;
  for (std::uint64_t seed = 1; seed <= 20; ++seed) {
    for (std::size_t trouble = 0; trouble < trouble_count; ++trouble) {
      SplitMix64 random(seed * trouble_count + trouble);
      SimulatedServer server = draw_server(static_cast<Trouble>(trouble), random);
      const SimulatedRun clean(server, seed, 10);
      server.per_connection = multiple * clean.judgement(assess(clean.recording())).limit;
      SimulatedRun run(server, seed, 10);
      const Assessment assessment = look_until_decided(run);
      if (server.steady_after(run.connections(), run.seconds())) ++given[assessment.verdict];
    }
  }
  return given;
}

TEST(SimulationTest, WholeRunsWithoutALeakAreHardlyEverAccused) {
  auto given = whole_runs(0);
  EXPECT_LE(given[Verdict::leak], 1);
  EXPECT_GE(given[Verdict::no_leak] + given[Verdict::saturating], 8 * given[Verdict::inconclusive]);
}

TEST(SimulationTest, WholeRunsWithALeakAreHardlyEverCleared) {
  auto given = whole_runs(4);
  EXPECT_LE(given[Verdict::no_leak] + given[Verdict::saturating], 1);
  EXPECT_GE(given[Verdict::leak], 12 * given[Verdict::inconclusive]);
}

}  // namespace
}  // namespace ebbtide
