#include "tracer/malloc_memory.h"

#include <gtest/gtest.h>
#include <malloc.h>
#include <unistd.h>

#include <cstdlib>
#include <cstring>
#include <thread>
#include <vector>

namespace ebbtide {
namespace {

constexpr std::size_t megabyte = 1 << 20;

std::uint64_t resident() {
  const auto bytes = read_malloc_resident(getpid());
  if (!bytes) ADD_FAILURE() << bytes.error().message();
  return bytes ? *bytes : 0;
}

// Blocks below the mmap threshold, so that they come from the calling thread's arena.
std::vector<void*> take(std::size_t bytes) {
  constexpr std::size_t block = 64 << 10;
  std::vector<void*> blocks;
  for (std::size_t taken = 0; taken < bytes; taken += block) {
    blocks.push_back(std::malloc(block));
    std::memset(blocks.back(), 1, block);
  }
  return blocks;
}

void give(const std::vector<void*>& blocks) {
  for (void* block : blocks) std::free(block);
}

TEST(MallocMemory, CountsTheMainArena) {
  const auto before = resident();
  const auto blocks = take(16 * megabyte);
  EXPECT_NEAR(static_cast<double>(resident() - before), 16.0 * megabyte, 1.0 * megabyte);
  give(blocks);
}

TEST(MallocMemory, CountsTheArenaOfAThread) {
  const auto before = resident();
  std::thread([&] {
    const auto blocks = take(16 * megabyte);
    EXPECT_NEAR(static_cast<double>(resident() - before), 16.0 * megabyte, 1.0 * megabyte);
    give(blocks);
  }).join();
}

TEST(MallocMemory, BlocksWithAMappingOfTheirOwnAreNotItsArenas) {
  const auto before = resident();
  void* block = std::malloc(64 * megabyte + 4096);
  std::memset(block, 1, 64 * megabyte);
  EXPECT_NEAR(static_cast<double>(resident()), static_cast<double>(before), 1.0 * megabyte);
  std::free(block);
}

TEST(MallocMemory, ReadsWhatTheKernelPrints) {
  EXPECT_EQ(malloc_resident_in(""), 0U);
  EXPECT_EQ(malloc_resident_in("Rss: 12 kB\n"), 0U);
  EXPECT_EQ(malloc_resident_in("55aa00000000-55aa00100000 rw-p 00000000 00:00 0   [heap]\n"
                               "Size:  1024 kB\nRss:   20 kB\nPss:   20 kB\n"
                               "7f0008000000-7f0008021000 rw-p 00000000 00:00 0 \nRss:   8 kB\n"
                               "7f0008021000-7f000c000000 ---p 00000000 00:00 0 \nRss:   0 kB\n"
                               "7f0010000000-7f0010040000 rw-p 00000000 00:00 0 \nRss:  256 kB\n"),
            28U * 1024);
}

TEST(MallocMemory, AProcessThatIsGoneIsAnError) { EXPECT_FALSE(read_malloc_resident(1 << 22)); }

}  // namespace
}  // namespace ebbtide
