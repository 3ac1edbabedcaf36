// What counts as growth: levels at looks, with connections between some of them and none between
// others. Rows as a digest would have written them.
#include "analysis/heap/growth.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "analysis/heap/cause_path.h"
#include "analysis/statistics.h"

namespace ebbtide {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::SizeIs;

constexpr std::uint64_t second_ns = 1'000'000'000;
using Levels = std::vector<std::uint64_t>;

// A recording with one isolate; paths are given as (id, parent, step, edge, class).
class Looks {
 public:
  // `doses` by cycle, 0 for an idle control; the baseline comes before them.
  explicit Looks(const std::vector<std::uint32_t>& doses) {
    recording.heap_censuses.push_back({.cycle = 0, .isolate = "main", .ts_ns = second_ns});
    for (std::uint32_t i = 0; i < doses.size(); ++i) {
      recording.cycles.push_back({i + 1, doses[i], doses[i], 0, 0});
      recording.heap_censuses.push_back(
          {.cycle = i + 1, .isolate = "main", .ts_ns = (i + 2) * second_ns});
    }
    path(1, 0, PathStep::root, "", "(JavaScript roots)");
    path(2, 0, PathStep::root, "", "(C++ handles)");
  }

  Looks& path(std::uint64_t id, std::uint64_t parent, PathStep step, const std::string& edge,
              const std::string& class_name, CodePosition position = {}) {
    recording.heap_paths.push_back({id, parent, "main", step, edge, class_name, position});
    return *this;
  }

  // Of the path made last.
  Looks& objects(const Levels& levels, std::uint64_t bytes_each = 100) {
    return level(levels, levels, Levels(levels.size(), 0), bytes_each);
  }
  Looks& entries(const Levels& levels, std::uint64_t bytes_each = 100) {
    return level(Levels(levels.size(), 1), levels, levels, bytes_each);
  }

  Recording recording;

 private:
  Looks& level(const Levels& objects, const Levels& retained, const Levels& entries,
               std::uint64_t bytes_each) {
    for (std::uint32_t i = 0; i < objects.size(); ++i) {
      recording.heap_path_levels.push_back({i, recording.heap_paths.back().id, objects[i],
                                            objects[i] * 10, retained[i] * bytes_each, entries[i]});
    }
    return *this;
  }
};

CodePosition at(const std::string& script, std::uint32_t line) { return {script, line, 1, ""}; }

// One container in a user's variable with these entries.
HeapFindings of_entries(const std::vector<std::uint32_t>& doses, const Levels& entries) {
  Looks looks(doses);
  looks.path(3, 1, PathStep::variable, "kept", "Map", at("/srv/server.js", 4)).entries(entries);
  return find_heap_growth(looks.recording);
}

TEST(HeapGrowth, NamesTheContainerAndWhatItKeeps) {
  Looks looks({100, 100, 100, 100});
  looks.path(3, 1, PathStep::variable, "hub", "Hub", at("/srv/server.js", 9))
      .objects({1, 1, 1, 1, 1})
      .path(4, 3, PathStep::property, "#users", "Map", at("/srv/server.js", 3))
      .entries({7, 107, 207, 307, 407}, 500)
      .path(5, 4, PathStep::element, "", "Session", at("/srv/session.js", 2))
      .objects({7, 107, 207, 307, 407}, 450)
      .path(6, 5, PathStep::property, "socket", "Socket")
      .objects({7, 107, 207, 307, 407}, 300)
      .path(7, 1, PathStep::variable, "flat", "Array", at("/srv/server.js", 5))
      .entries({50, 50, 50, 50, 50});
  const HeapFindings findings = find_heap_growth(looks.recording);
  ASSERT_THAT(findings.causes, SizeIs(1));
  const HeapCause& cause = findings.causes.front();
  EXPECT_EQ(cause.path, "server.js:9 hub (Hub) → #users (Map) → Session");
  EXPECT_EQ(cause.container, "Map");
  EXPECT_EQ(cause.content, "Session");
  EXPECT_EQ(cause.position, at("/srv/server.js", 3));
  EXPECT_DOUBLE_EQ(cause.objects_per_connection, 1);
  EXPECT_DOUBLE_EQ(cause.retained_per_connection, 500);
  EXPECT_THAT(cause.levels, ElementsAre(7, 107, 207, 307, 407));
  EXPECT_TRUE(cause.user_code);
  ASSERT_THAT(cause.companions, SizeIs(2));
  EXPECT_EQ(cause.companions[1].class_name, "Socket");
}

TEST(HeapGrowth, WhatTheClockAddsIsNotTheConnections) {
  // The same in idle cycles as in driven ones.
  EXPECT_THAT(of_entries({100, 0, 100, 0, 100, 0}, {0, 50, 100, 150, 200, 250, 300}).causes,
              IsEmpty());
  // 100 with each driven cycle, 10 in any.
  const auto findings = of_entries({100, 0, 100, 0, 100, 0}, {0, 110, 120, 230, 240, 350, 360});
  ASSERT_THAT(findings.causes, SizeIs(1));
  EXPECT_NEAR(findings.causes[0].objects_per_connection, 1, 0.01);
}

TEST(HeapGrowth, AClockThatRunsUnevenlyIsStillAClock) {
  // 90 to 130 entries in each stretch, whether anybody connects or not.
  const HeapFindings findings =
      of_entries({100, 0, 100, 100, 0, 100, 100, 0}, {0, 110, 210, 320, 430, 530, 640, 750, 880});
  EXPECT_THAT(findings.causes, IsEmpty());
}

TEST(HeapGrowth, ShapesThatAreNoLeak) {
  const std::vector<std::uint32_t> six(6, 100);
  EXPECT_THAT(of_entries(six, {0, 80, 80, 80, 80, 80, 80}).causes, IsEmpty()) << "a warm-up";
  EXPECT_THAT(of_entries(six, {5, 90, 5, 90, 5, 90, 5}).causes, IsEmpty()) << "a saw-tooth";
  EXPECT_THAT(of_entries(six, {5, 6, 6, 7, 8, 8, 9}).causes, IsEmpty()) << "too little";
  EXPECT_THAT(of_entries(six, {900, 800, 700, 600, 500, 400, 300}).causes, IsEmpty()) << "falling";
  const auto full = of_entries(six, {0, 100, 200, 250, 250, 250, 250});
  ASSERT_THAT(full.causes, SizeIs(1)) << "a cache that filled up";
  EXPECT_TRUE(full.causes[0].bounded);
  const auto slowing = of_entries(six, {0, 100, 190, 260, 300, 320, 330});
  ASSERT_THAT(slowing.causes, SizeIs(1));
  EXPECT_TRUE(slowing.causes[0].bounded);
}

TEST(HeapGrowth, OneStepMayMissAmongFive) {
  const auto findings =
      of_entries(std::vector<std::uint32_t>(6, 100), {0, 100, 200, 200, 300, 400, 500});
  ASSERT_THAT(findings.causes, SizeIs(1));
  EXPECT_FALSE(findings.causes[0].bounded);
  EXPECT_THAT(of_entries({100, 100, 100, 100}, {0, 100, 100, 100, 200}).causes, IsEmpty());
}

TEST(HeapGrowth, TwoLooksAreTooFew) {
  EXPECT_NE(of_entries({100}, {0, 100}).reservation, "");
  EXPECT_NE(of_entries({0, 0, 0}, {0, 100, 200, 300}).reservation, "");
  EXPECT_EQ(of_entries({100, 100}, {0, 100, 200}).reservation, "");
  EXPECT_EQ(of_entries({100, 100}, {0, 100, 200}).causes.size(), 1u);
  EXPECT_NE(find_heap_growth(Recording{}).reservation, "");
}

TEST(HeapGrowth, SnapshotsWithoutCyclesCountByTheStep) {
  Looks looks({100, 100, 100});
  looks.recording.cycles.clear();
  looks.path(3, 1, PathStep::variable, "kept", "Map", at("/srv/server.js", 4))
      .entries({0, 100, 110, 500});  // nobody knows how many connections came between
  const auto findings = find_heap_growth(looks.recording);
  ASSERT_THAT(findings.causes, SizeIs(1));
}

TEST(HeapGrowth, TimersAreNamedByTheFunctionBelowThem) {
  Looks looks({50, 50, 50});
  looks.path(3, 1, PathStep::variable, "timerListMap", "Object", {"node:internal/timers", 0, 0, ""})
      .objects({1, 1, 1, 1})
      .path(4, 3, PathStep::element, "", "TimersList", at("node:internal/timers", 246))
      .objects({1, 2, 2, 2})
      .path(5, 4, PathStep::property, "_idleNext", "Timeout", at("node:internal/timers", 170))
      .objects({3, 53, 103, 153})
      .path(6, 5, PathStep::property, "_onTimeout", "tick @ server.js:33:5",
            {"/srv/server.js", 33, 5, ""})
      .objects({0, 50, 100, 150});
  const auto findings = find_heap_growth(looks.recording);
  ASSERT_THAT(findings.causes, SizeIs(1));
  EXPECT_EQ(findings.causes[0].path, "timers → Timeout → tick @ server.js:33:5");
  EXPECT_EQ(findings.causes[0].position.line, 33u);
  EXPECT_TRUE(findings.causes[0].user_code);
  EXPECT_EQ(findings.causes[0].container, "");
}

TEST(HeapGrowth, HandlesAloneAreSaid) {
  Looks looks({50, 50, 50});
  looks.path(3, 2, PathStep::internal, "", "TCP").objects({1, 51, 101, 151});
  const auto findings = find_heap_growth(looks.recording);
  ASSERT_THAT(findings.causes, SizeIs(1));
  EXPECT_TRUE(findings.causes[0].handles_only);
  EXPECT_FALSE(findings.causes[0].user_code);
}

TEST(HeapGrowth, UserCodeComesFirstWhereSizesAreClose) {
  Looks looks({100, 100, 100});
  looks.path(3, 1, PathStep::variable, "pool", "Array", at("/srv/node_modules/x/pool.js", 4))
      .entries({0, 100, 200, 300}, 120)
      .path(4, 1, PathStep::variable, "mine", "Array", at("/srv/server.js", 5))
      .entries({0, 100, 200, 300}, 100)
      .path(5, 1, PathStep::variable, "huge", "Array", at("/srv/node_modules/y/huge.js", 6))
      .entries({0, 100, 200, 300}, 9000);
  const auto findings = find_heap_growth(looks.recording);
  ASSERT_THAT(findings.causes, SizeIs(3));
  EXPECT_THAT(findings.causes[0].path, HasSubstr("huge"));
  EXPECT_THAT(findings.causes[1].path, HasSubstr("mine"));
  EXPECT_THAT(findings.causes[2].path, HasSubstr("pool"));
}

TEST(HeapGrowth, DamagedRowsDoNoHarm) {
  SplitMix64 random(11);
  for (int round = 0; round < 300; ++round) {
    Looks looks({100, 100, 100});
    for (int i = 0; i < 30; ++i) {
      const auto id = random.below(20);
      looks.path(id, random.below(20), static_cast<PathStep>(random.below(6)),
                 random.below(2) == 0 ? "_events" : "x", random.below(2) == 0 ? "Map" : "f @ a:1:1",
                 at("/srv/a.js", static_cast<std::uint32_t>(random.below(3))));
      looks.objects({random.next(), 100, random.below(1000), random.next()});
    }
    looks.recording.heap_censuses.push_back({.cycle = 77, .isolate = "other"});
    const auto findings = find_heap_growth(looks.recording);
    EXPECT_LE(findings.causes.size(), 30u);
  }
}

TEST(CausePath, LongPathsLoseTheirMiddle) {
  std::vector<HeapPath> rows;
  for (int i = 0; i < 20; ++i) {
    rows.push_back({static_cast<std::uint64_t>(i + 1),
                    0,
                    "main",
                    PathStep::property,
                    "p" + std::to_string(i),
                    "C" + std::to_string(i),
                    {}});
  }
  std::vector<const HeapPath*> steps;
  for (const HeapPath& row : rows) steps.push_back(&row);
  EXPECT_EQ(path_text(steps),
            "p0 (C0) → p1 (C1) → p2 (C2) → … → p17 (C17) → p18 (C18) → p19 (C19)");
}

}  // namespace
}  // namespace ebbtide
