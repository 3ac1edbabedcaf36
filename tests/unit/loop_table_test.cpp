// How the rounds of event loops are divided among phases.
#include <gtest/gtest.h>

#include <vector>

#include "tracer/loop_table.h"

namespace ebbtide {
namespace {

constexpr std::uint32_t epoch_of(std::uint32_t cycle, Phase phase) {
  return cycle << EBB_PHASE_BITS | static_cast<std::uint32_t>(phase);
}

constexpr std::uint32_t opening = epoch_of(1, Phase::open);
constexpr std::uint32_t holding = epoch_of(1, Phase::hold);
constexpr std::uint32_t settling = epoch_of(1, Phase::settle);
constexpr std::uint32_t tid = 11;

// Phases: before from 0, open from 100, hold from 200, settle from 300.
class LoopTables : public testing::Test {
 protected:
  LoopTables() {
    table_.begin_phase(opening, 100);
    table_.begin_phase(holding, 200);
    table_.begin_phase(settling, 300);
  }

  static ebb_loop loop(std::uint32_t epoch, std::uint64_t turn_start, std::uint64_t wait_start) {
    ebb_loop loop{};
    loop.turn_start_ns = turn_start;
    loop.wait_start_ns = wait_start;
    loop.epoch = epoch;
    loop.tgid = 10;
    return loop;
  }

  void end_round(const ebb_loop& loop, std::uint64_t end_ns, std::uint64_t cpu_ns = 0,
                 std::uint64_t delayed_ns = 0) {
    ebb_loop_event event{};
    event.cpu_ns = cpu_ns;
    event.delayed_ns = delayed_ns;
    event.header = {.ts_ns = end_ns, .type = EBB_EVENT_LOOP, .epoch = 0, .tid = tid, .tgid = 10};
    event.loop = loop;
    table_.take(event.header, sizeof event);
  }

  [[nodiscard]] LoopActivity row(Phase phase) const {
    LoopActivity found;
    int count = 0;
    for (const LoopActivity& each : rows_) {
      if (each.phase != phase) continue;
      found = each;
      count++;
    }
    EXPECT_EQ(count, 1) << "each phase is written once";
    return found;
  }

  std::vector<LoopActivity> rows_;
  LoopTable table_{0, [this](const Record& record) {
                     if (const auto* row = std::get_if<LoopActivity>(&record))
                       rows_.push_back(*row);
                   }};
};

void expect(const LoopActivity& row, std::uint64_t turns, std::uint64_t busy, std::uint64_t waiting,
            std::uint64_t longest) {
  EXPECT_EQ(row.turns, turns);
  EXPECT_EQ(row.busy_ns, busy);
  EXPECT_EQ(row.waiting_ns, waiting);
  EXPECT_EQ(row.longest_ns, longest);
}

TEST_F(LoopTables, ARoundIsDividedAmongThePhasesItCrosses) {
  ebb_loop crossing = loop(opening, 150, 260);
  crossing.turns = 2;
  crossing.busy_ns = 10;
  crossing.waiting_ns = 40;
  crossing.longest_ns = 7;
  end_round(crossing, 320);
  table_.write({{tid, loop(settling, 320, 0)}});
  EXPECT_EQ(rows_.size(), 2u);
  expect(row(Phase::open), 2, 10 + 50, 40, 110);
  expect(row(Phase::hold), 1, 60, 40, 110);
  EXPECT_EQ(row(Phase::hold).longest_start_ns, 150u);
  table_.finish({{tid, loop(settling, 320, 0)}}, 400);
  expect(row(Phase::settle), 0, 80, 20, 80);
}

TEST_F(LoopTables, WhatARoundRanAndWaitedForACpuIsDividedByTime) {
  ebb_loop crossing = loop(opening, 180, 260);
  crossing.cpu_ns = 1000;  // of rounds within the phase
  crossing.delayed_ns = 500;
  end_round(crossing, 280, 70, 30);
  table_.write({{tid, loop(holding, 280, 0)}});
  EXPECT_EQ(row(Phase::open).cpu_ns, 1000u + 14);  // 20 of 100
  EXPECT_EQ(row(Phase::open).delayed_ns, 500u + 6);
  EXPECT_EQ(row(Phase::hold).cpu_ns, 56u);
  EXPECT_EQ(row(Phase::hold).delayed_ns, 24u);
}

TEST_F(LoopTables, WhatIsUnderWayIsCountedOnceWhenItEndsLater) {
  ebb_loop blocked = loop(opening, 150, 0);
  blocked.turns = 3;
  blocked.busy_ns = 20;
  blocked.longest_ns = 9;
  table_.write({{tid, blocked}});
  expect(row(Phase::open), 3, 20 + 50, 0, 150);  // the turn has lasted 150 by the end of hold
  expect(row(Phase::hold), 0, 100, 0, 150);
  blocked.wait_start_ns = 350;
  end_round(blocked, 360);
  table_.finish({{tid, loop(settling, 360, 370)}}, 400);
  EXPECT_EQ(rows_.size(), 3u);
  expect(row(Phase::settle), 1 + 1, 50 + 10, 10 + 30, 200);
}

TEST_F(LoopTables, ARoundThatEndedAfterTheLookIsCountedOnce) {
  ebb_loop blocked = loop(holding, 250, 0);
  blocked.turns = 1;
  blocked.busy_ns = 30;
  end_round(blocked, 310);
  table_.write({{tid, blocked}});
  expect(row(Phase::hold), 1, 30 + 50, 0, 60);
}

TEST_F(LoopTables, ALoopThatOnlyWaitsHasRowsWithoutTurns) {
  const ebb_loop asleep = loop(epoch_of(0, Phase::before), 50, 50);
  table_.write({{tid, asleep}});
  table_.finish({{tid, asleep}}, 400);
  expect(row(Phase::before), 0, 0, 50, 0);
  for (const Phase phase : {Phase::open, Phase::hold, Phase::settle})
    expect(row(phase), 0, 0, 100, 0);
}

TEST_F(LoopTables, SumsOfThePhaseThatGoesOnAreWrittenAtItsEnd) {
  ebb_loop busy = loop(settling, 310, 0);
  busy.turns = 1;
  busy.busy_ns = 5;
  table_.write({{tid, busy}});
  EXPECT_TRUE(rows_.empty());
  end_round(busy, 330);  // the thread ends
  table_.finish({}, 400);
  expect(row(Phase::settle), 1 + 1, 5 + 20, 0, 20);
}

}  // namespace
}  // namespace ebbtide
