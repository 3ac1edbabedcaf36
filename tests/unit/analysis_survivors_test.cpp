#include "analysis/survivors.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "analysis/join.h"
#include "analysis_recordings.h"

namespace ebbtide {
namespace {

constexpr std::uint8_t close_wait = 8;

std::vector<CohortSurvivors> of_kind(const Recording& recording, ResourceKind kind) {
  std::vector<CohortSurvivors> rows;
  for (const auto& row : find_survivors(recording, join_sockets(recording))) {
    if (row.kind == kind) rows.push_back(row);
  }
  return rows;
}

TEST(JoinTest, MatchesEverySocketAlthoughPortsRepeat) {
  RunBuilder run(5);
  run.cycles(3).sockets([](auto, auto) { return false; }, close_wait);
  const SocketJoin join = join_sockets(run.recording);
  EXPECT_EQ(join.connected, 15u);
  ASSERT_EQ(join.connection_of.size(), 15u);
  for (const auto& [resource, connection] : join.connection_of) {
    EXPECT_EQ(resource, run.recording.connections[connection].id);
  }
}

TEST(JoinTest, TellsStrangers) {
  RunBuilder run(5);
  run.cycles(2).sockets([](auto, auto) { return false; }, close_wait);
  run.recording.sockets[3].remote_port = 9;
  const SocketJoin join = join_sockets(run.recording);
  EXPECT_EQ(join.connection_of.size(), 9u);
  EXPECT_THAT(join.strangers, testing::ElementsAre(run.recording.sockets[3].resource_id));
}

TEST(SurvivorsTest, CountsWhatOutlivesTheNextCycle) {
  RunBuilder run;
  run.cycles(3);
  const auto& cycles = run.recording.cycles;
  run.resources(ResourceKind::thread, 1, 2, 0);
  run.resources(ResourceKind::thread, 1, 3, cycles[1].end_ns - 1);  // gone before it had settled
  run.resources(ResourceKind::thread, 1, 4, cycles[1].end_ns + 1);  // outlives it, not the run
  run.resources(ResourceKind::thread, 3, 1, 0);
  const auto rows = of_kind(run.recording, ResourceKind::thread);
  ASSERT_EQ(rows.size(), 3u);
  EXPECT_EQ(rows[0].births, 9u);
  EXPECT_EQ(rows[0].survivors, 6u);
  EXPECT_EQ(rows[0].alive_at_end, 2u);
  EXPECT_EQ(rows[1].births, 0u);
  EXPECT_EQ(rows[2].survivors, 1u);
}

TEST(SurvivorsTest, DeathWithTheTargetIsNoReturn) {
  RunBuilder run;
  run.cycles(2);
  run.resources(ResourceKind::child, 1, 1, run.recording.cycles.back().end_ns + 5);
  EXPECT_EQ(of_kind(run.recording, ResourceKind::child)[0].alive_at_end, 1u);
}

// File descriptors are dated by the census behind the end of the cycle.
TEST(SurvivorsTest, WhatACensusDatesBelongsToTheCycleBeforeIt) {
  RunBuilder run;
  run.cycles(3);
  const std::uint64_t census_ns = run.recording.cycles.back().end_ns + 5;
  run.recording.gauges.push_back({3, Point::settled, GaugeKind::fds, census_ns, 30});
  run.resources(ResourceKind::fd, 3, 2, 0);
  for (Resource& resource : run.recording.resources) resource.birth_ns = census_ns;
  run.resources(ResourceKind::fd, 1, 4, census_ns);  // seen to be gone
  run.resources(ResourceKind::fd, 1, 1, census_ns + 1);
  const auto rows = of_kind(run.recording, ResourceKind::fd);
  EXPECT_EQ(rows[0].alive_at_end, 1u);
  EXPECT_EQ(rows[2].alive_at_end, 2u);
  const SocketJoin join = join_sockets(run.recording);
  EXPECT_EQ(surviving_resources(run.recording, join, ResourceKind::fd).size(), 3u);
}

TEST(SurvivorsTest, TakesMappingsBirthsFromTheCounts) {
  RunBuilder run;
  run.cycles(2);
  run.resources(ResourceKind::mapping, 2, 3, 0, 4096);
  run.recording.births.push_back({ResourceKind::mapping, 1, 40, 1 << 20});
  run.recording.births.push_back({ResourceKind::mapping, 2, 50, 1 << 20});
  const auto rows = of_kind(run.recording, ResourceKind::mapping);
  EXPECT_EQ(rows[0].births, 40u);
  EXPECT_EQ(rows[0].survivors, 0u);
  EXPECT_EQ(rows[1].births, 50u);
  EXPECT_EQ(rows[1].alive_at_end, 3u);
  EXPECT_EQ(rows[1].survivor_bytes, 3u * 4096);
}

TEST(SurvivorsTest, LeavesOutWhatWasThereBeforeTheFirstCycle) {
  RunBuilder run;
  run.cycles(1);
  run.resources(ResourceKind::fd, 1, 1, 0);
  run.recording.resources.back().birth_cycle = 0;
  EXPECT_TRUE(find_survivors(run.recording, join_sockets(run.recording)).empty());
}

TEST(SurvivorsTest, LeavesOutOtherClientsSockets) {
  RunBuilder run(4);
  run.cycles(2).sockets([](auto, auto) { return true; }, close_wait);
  run.recording.sockets[0].remote_port = 9;
  const auto rows = of_kind(run.recording, ResourceKind::accepted_socket);
  EXPECT_EQ(rows[0].births, 3u);
  EXPECT_EQ(rows[1].births, 4u);
}

TEST(SurvivorsTest, CountsEverySocketWhenNoneCanBeTold) {
  RunBuilder run(4);
  run.cycles(2).sockets([](auto, auto) { return true; }, close_wait);
  for (auto& socket : run.recording.sockets) socket.remote_port = 9;  // a proxy's
  EXPECT_EQ(of_kind(run.recording, ResourceKind::accepted_socket)[0].births, 4u);
}

TEST(SurvivingResourcesTest, LargestFirstAndNoneOfIdleCycles) {
  RunBuilder run;
  run.cycle().idle().cycle();
  run.resources(ResourceKind::mapping, 1, 1, 0, 4096);
  run.resources(ResourceKind::mapping, 2, 1, 0, 1 << 20);
  run.resources(ResourceKind::mapping, 3, 1, 0, 8192);
  const auto alive =
      surviving_resources(run.recording, join_sockets(run.recording), ResourceKind::mapping);
  ASSERT_EQ(alive.size(), 2u);
  EXPECT_EQ(alive[0]->size_bytes, 8192u);
  EXPECT_EQ(alive[1]->size_bytes, 4096u);
}

}  // namespace
}  // namespace ebbtide
