// The interval map against a byte-by-byte model, and the cases that V8 and glibc produce.
#include "tracer/interval_map.h"

#include <gtest/gtest.h>

#include <random>
#include <vector>

namespace ebbtide {
namespace {

TEST(IntervalMap, PartialUnmapsKeepTheOwner) {
  IntervalMap map;
  map.map(0x1000, 0x8000, 7);
  map.unmap(0x3000, 0x1000);  // in the middle
  map.unmap(0x0000, 0x2000);  // over the front edge
  map.unmap(0x8000, 0x4000);  // over the back edge
  EXPECT_EQ(map.bytes_of(7), 0x1000u + 0x4000u);
  EXPECT_EQ(map.total_bytes(), 0x5000u);
}

TEST(IntervalMap, MappingOverReplaces) {
  IntervalMap map;
  map.map(0x1000, 0x4000, 1);
  map.map(0x2000, 0x1000, 2);
  EXPECT_EQ(map.bytes_of(1), 0x3000u);
  EXPECT_EQ(map.bytes_of(2), 0x1000u);
  map.map(0x0000, 0x10000, 3);
  EXPECT_EQ(map.bytes_of(1), 0u);
  EXPECT_EQ(map.bytes_by_owner().size(), 1u);
}

TEST(IntervalMap, RemapMovesPiecesWithTheirOwners) {
  IntervalMap map;
  map.map(0x1000, 0x1000, 1);
  map.map(0x2000, 0x1000, 2);
  map.remap(0x1000, 0x2000, 0x9000, 0x3000, 3);
  EXPECT_EQ(map.bytes_of(1), 0x1000u);
  EXPECT_EQ(map.bytes_of(2), 0x1000u);
  EXPECT_EQ(map.bytes_of(3), 0x1000u);
  map.unmap(0x9000, 0x1000);
  EXPECT_EQ(map.bytes_of(1), 0u);
  map.remap(0xa000, 0x2000, 0xa000, 0x1000, 4);  // shrinks in place
  EXPECT_EQ(map.bytes_of(2), 0x1000u);
  EXPECT_EQ(map.total_bytes(), 0x1000u);
}

TEST(IntervalMap, RemapOntoAnOverlappingRange) {
  IntervalMap map;
  map.map(0x1000, 0x4000, 1);
  map.remap(0x1000, 0x4000, 0x3000, 0x4000, 2);
  EXPECT_EQ(map.bytes_of(1), 0x4000u);
  EXPECT_EQ(map.total_bytes(), 0x4000u);
}

TEST(IntervalMap, ReconcileCorrectsBothWays) {
  IntervalMap map;
  map.map(0x1000, 0x2000, 1);
  map.map(0x8000, 0x1000, 2);
  const std::uint64_t wrong = map.reconcile({{0x2000, 0x5000}, {0x6000, 0x7000}}, 9);
  EXPECT_EQ(wrong, 0x1000u + 0x1000u + 0x2000u + 0x1000u);
  EXPECT_EQ(map.bytes_of(1), 0x1000u);
  EXPECT_EQ(map.bytes_of(2), 0u);
  EXPECT_EQ(map.bytes_of(9), 0x3000u);
  EXPECT_EQ(map.reconcile({{0x2000, 0x5000}, {0x6000, 0x7000}}, 9), 0u);
}

// Random operations against an array with one owner per page.
TEST(IntervalMap, AgreesWithAPageArray) {
  constexpr std::uint64_t pages = 96;
  for (unsigned seed = 0; seed < 200; seed++) {
    std::mt19937 random(seed);
    IntervalMap map;
    std::vector<std::uint64_t> model(pages * 2, 0);
    const auto pick = [&](std::uint64_t below) { return random() % below; };
    for (std::uint64_t step = 1; step <= 120; step++) {
      const std::uint64_t start = pick(pages), length = 1 + pick(16);
      switch (pick(3)) {
        case 0:
          map.map(start << 12, length << 12, step);
          std::fill_n(model.begin() + start, length, step);
          break;
        case 1:
          map.unmap(start << 12, length << 12);
          std::fill_n(model.begin() + start, length, 0);
          break;
        default: {
          const std::uint64_t to = pick(pages), new_length = 1 + pick(16);
          std::vector<std::uint64_t> old(model.begin() + start, model.begin() + start + length);
          map.remap(start << 12, length << 12, to << 12, new_length << 12, step);
          std::fill_n(model.begin() + start, length, 0);
          for (std::uint64_t i = 0; i < new_length; i++) model[to + i] = i < length ? old[i] : step;
        }
      }
      std::unordered_map<std::uint64_t, std::uint64_t> expected;
      for (const std::uint64_t owner : model) {
        if (owner != 0) expected[owner] += 4096;
      }
      ASSERT_EQ(map.bytes_by_owner(), expected) << "seed " << seed << " step " << step;
    }
    std::vector<IntervalMap::Interval> truth;
    for (std::uint64_t i = 0; i < model.size(); i += 2) truth.push_back({i << 12, (i + 1) << 12});
    map.reconcile(truth, 9999);
    EXPECT_EQ(map.total_bytes(), truth.size() << 12);
    EXPECT_EQ(map.reconcile(truth, 9999), 0u);
  }
}

}  // namespace
}  // namespace ebbtide
