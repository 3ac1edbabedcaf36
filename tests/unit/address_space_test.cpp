#include "tracer/address_space.h"

#include <gtest/gtest.h>
#include <malloc.h>

#include <vector>

namespace ebbtide {
namespace {

constexpr std::uint64_t page = 4096;

ebb_mapping_event event(__u32 operation, std::uint64_t address, std::uint64_t length) {
  ebb_mapping_event event{};
  event.header.ts_ns = 5;
  event.operation = operation;
  event.address = address;
  event.length = length;
  return event;
}

TEST(AddressSpace, MappingsThatCameAndWentAreNotRemembered) {
  std::vector<Resource> rows;
  AddressSpace space(42, 0, [&](const Record& row) { rows.push_back(std::get<Resource>(row)); });
  space.take(event(EBB_MMAP, page, page));
  space.write(10);
  ASSERT_EQ(rows.size(), 1u);
  const auto before = mallinfo2().uordblks;
  for (int i = 0; i < 100'000; i++) {
    space.take(event(EBB_MMAP, 100 * page, 3 * page));
    space.take(event(EBB_MUNMAP, 100 * page, 3 * page));
  }
  EXPECT_LT(mallinfo2().uordblks, before + 1'000'000) << "1,024 of them take some 200 kB";
  EXPECT_EQ(space.born_in(0).count, 100'001u);
  EXPECT_EQ(space.total_bytes(), page);
  space.write(20);
  EXPECT_EQ(rows.size(), 1u) << "what no settle point saw alive gets no row";
}

TEST(AddressSpace, WhatWasWrittenDiesInARowOfItsOwn) {
  std::vector<Resource> rows;
  AddressSpace space(42, 1000, [&](const Record& row) { rows.push_back(std::get<Resource>(row)); });
  space.take(event(EBB_MMAP, page, 2 * page));
  space.write(10);
  space.take(event(EBB_MUNMAP, page, page));
  space.write(20);
  space.take(event(EBB_MUNMAP, 2 * page, page));
  space.write(30);
  ASSERT_EQ(rows.size(), 3u);
  EXPECT_EQ(rows[0].pid, 42);
  EXPECT_EQ(rows[0].id & 0xffffffffffff, 1001u);
  EXPECT_EQ(rows[0].size_bytes, 2 * page);
  EXPECT_EQ(rows[1].size_bytes, page);
  EXPECT_EQ(rows[2].death_ns, 30u);
  EXPECT_EQ(rows[2].id, rows[0].id);
}

}  // namespace
}  // namespace ebbtide
