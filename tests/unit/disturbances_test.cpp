// What else happened during a run is told, with the cycles it happened in.
#include "analysis/disturbances.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "analysis_recordings.h"

namespace ebbtide {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;

constexpr std::uint8_t time_wait = 6;

std::vector<Disturbance> found(const Recording& recording) {
  return find_disturbances(recording, join_sockets(recording));
}

RunBuilder quiet() {
  RunBuilder run(10);
  run.cycles(8);
  run.sockets([](auto, auto) { return false; }, time_wait);
  run.gauge(GaugeKind::heap_used, constant(5e6));
  run.gauge(GaugeKind::cpu_delay, constant(0)).gauge(GaugeKind::cpu_system, constant(0));
  run.gauge(GaugeKind::cpu_user, [](double, double seconds) { return seconds * 1e8; });
  return run;
}

TEST(Disturbances, AQuietRunHasNone) { EXPECT_THAT(found(quiet().recording), IsEmpty()); }

TEST(Disturbances, OtherClients) {
  RunBuilder run = quiet();
  std::uint64_t id = 1'000'000;
  for (const std::uint32_t cycle : {2U, 4U, 5U, 6U, 6U}) {
    run.recording.resources.push_back(
        {.id = ++id, .kind = ResourceKind::accepted_socket, .birth_cycle = cycle});
    run.recording.sockets.push_back({.resource_id = id, .remote_port = 1});
  }
  const auto disturbances = found(run.recording);
  ASSERT_EQ(disturbances.size(), 1u);
  EXPECT_EQ(disturbances[0].count, 5u);
  EXPECT_THAT(disturbances[0].cycles, ElementsAre(2, 4, 5, 6));
  EXPECT_EQ(disturbances[0].text, "5 connections of other clients came in cycles 2 and 4–6");
}

TEST(Disturbances, ATargetThatDoesNotRest) {
  RunBuilder run = quiet();
  for (PhaseSpan& span : run.recording.phases) {
    if (span.phase != Phase::settle) continue;
    span.hit_cap = span.cycle == 3 || span.cycle == 5;
    span.sockets_left = span.cycle == 5 ? 7 : 0;
  }
  ASSERT_EQ(found(run.recording).size(), 1u);
  EXPECT_EQ(found(run.recording)[0].text,
            "the target did not come to rest before the cap in cycle 3");
}

TEST(Disturbances, ConnectionsThatFailedAndCollectionsThatDidNotCome) {
  RunBuilder run = quiet();
  run.recording.cycles[1].established = 6;
  std::erase_if(run.recording.gauges, [](const Gauge& gauge) {
    return gauge.kind == GaugeKind::heap_used && gauge.cycle >= 7;
  });
  const auto disturbances = found(run.recording);
  ASSERT_EQ(disturbances.size(), 2u);
  EXPECT_EQ(disturbances[0].text, "4 connections failed in cycle 2");
  EXPECT_EQ(disturbances[1].text, "no garbage collection could be forced in cycles 7–8");
}

TEST(Disturbances, ATargetWithoutACpu) {
  RunBuilder run = quiet();
  for (Gauge& gauge : run.recording.gauges) {
    if (gauge.kind == GaugeKind::cpu_delay && gauge.cycle >= 4) gauge.value = 300'000'000;
  }
  ASSERT_EQ(found(run.recording).size(), 1u);
  EXPECT_THAT(found(run.recording)[0].cycles, ElementsAre(4));
}

}  // namespace
}  // namespace ebbtide
