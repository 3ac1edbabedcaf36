// The census on real glibc heaps of a child whose every block is known.
#include "tracer/malloc_census.h"

#include <gtest/gtest.h>
#include <malloc.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <atomic>
#include <chrono>
#include <cstdlib>
#include <cstring>
#include <filesystem>
#include <thread>

#include "tests/bpf/subject.h"

namespace ebbtide {
namespace {

constexpr std::uint64_t header = 8;  // of a block; chunks are rounded up to 16
constexpr std::size_t most = 100'000;

// Blocks that the child holds, where no allocation is needed to remember them.
std::array<void*, most> blocks;

// Written to, so that it is in memory.
void* touched(std::size_t bytes) {
  void* block = std::malloc(bytes);
  std::memset(block, 1, bytes);
  return block;
}

std::int64_t take(std::size_t count, std::size_t bytes) {
  for (std::size_t i = 0; i < count; i++) blocks[i] = touched(bytes);
  return 0;
}

std::int64_t give(std::size_t count, std::size_t step = 1) {
  for (std::size_t i = 0; i < count; i += step) std::free(std::exchange(blocks[i], nullptr));
  return 0;
}

// Goes on for as long as the child lives; the blocks stay those of the thread.
std::int64_t in_thread(std::int64_t (*work)()) {
  static std::atomic<bool> done;
  done = false;
  std::thread([work] {
    work();
    done = true;
    pause();
  }).detach();
  while (!done) usleep(1000);
  return 0;
}

std::int64_t block_brk() {
  mmap(sbrk(0), 4096, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED_NOREPLACE, -1, 0);
  return 0;
}

std::atomic<bool> churning;
std::int64_t churn() {
  churning = true;
  std::thread([] {
    for (std::size_t i = 0; churning; i++) {
      void*& block = blocks[i * 7919 % 5000];
      std::free(block);
      block = touched(16 + i * 104729 % 3000);
    }
    pause();
  }).detach();
  return 0;
}

const Subject::Actions actions = {
    {"take 1000 of 1000 B", [] { return take(1000, 1000); }},
    {"give them back", [] { return give(1000); }},
    {"give every second back", [] { return give(1000, 2); }},
    {"take 20000 of 24 B", [] { return take(20000, 24); }},
    {"give 20000 back", [] { return give(20000); }},
    {"take and give 7 of 64 sizes",
     [] {
       for (std::size_t size = 24; size < 1032; size += 16) {
         take(7, size);
         give(7);
       }
       return 0L;
     }},
    {"take 3 of 1 MB", [] { return take(3, 1 << 20); }},
    {"give 3 back", [] { return give(3); }},
    {"take 1000 of 1000 B in a thread", [] { return in_thread([] { return take(1000, 1000); }); }},
    {"take 300 MB in a thread", [] { return in_thread([] { return take(3000, 100'000); }); }},
    {"give it back in the thread's arena", [] { return give(3000); }},
    {"block brk", block_brk},
    {"take 20000 of 1000 B", [] { return take(20000, 1000); }},
    {"churn", churn},
    {"rest",
     [] {
       churning = false;
       usleep(50'000);
       return 0L;
     }},
};

class MallocCensusOf : public testing::Test {
 protected:
  MallocUse look() {
    auto census = MallocCensus::open(child.pid());
    if (!census) {
      ADD_FAILURE() << census.error().message();
      return {};
    }
    const auto use = census->take();
    if (!use) ADD_FAILURE() << use.error().message();
    return use ? *use : MallocUse{};
  }
  // What an action adds.
  MallocUse added_by(const std::string& action) {
    const MallocUse before = look();
    child.run(action);
    const MallocUse after = look();
    return {.blocks = after.blocks - before.blocks,
            .in_use_bytes = after.in_use_bytes - before.in_use_bytes,
            .mmapped_bytes = after.mmapped_bytes - before.mmapped_bytes,
            .resident_bytes = after.resident_bytes - before.resident_bytes,
            .free_bytes = after.free_bytes - before.free_bytes,
            .top_bytes = after.top_bytes - before.top_bytes,
            .thread_free_bytes = after.thread_free_bytes - before.thread_free_bytes,
            .free_chunks = after.free_chunks - before.free_chunks,
            .thread_arenas = after.thread_arenas - before.thread_arenas};
  }

  Subject child{actions};
};

TEST_F(MallocCensusOf, CountsBlocksAndTheirBytes) {
  const MallocUse use = added_by("take 1000 of 1000 B");
  EXPECT_EQ(use.blocks, 1000U);
  EXPECT_EQ(use.in_use_bytes, 1000U * (1000 + header));
  EXPECT_EQ(use.mmapped_bytes, 0U);
}

TEST_F(MallocCensusOf, WhatIsFreedIsNotInUse) {
  const MallocUse before = look();
  child.run("take 1000 of 1000 B");
  child.run("give them back");
  const MallocUse after = look();
  EXPECT_EQ(after.blocks, before.blocks);
  EXPECT_EQ(after.in_use_bytes, before.in_use_bytes);
}

TEST_F(MallocCensusOf, FreedBlocksInFastListsAndThreadCachesAreFree) {
  const MallocUse before = look();
  child.run("take and give 7 of 64 sizes");
  child.run("take 20000 of 24 B");
  EXPECT_EQ(look().blocks, before.blocks + 20000);
  child.run("give 20000 back");
  const MallocUse after = look();
  EXPECT_EQ(after.blocks, before.blocks);
  EXPECT_EQ(after.in_use_bytes, before.in_use_bytes);
  EXPECT_GE(after.free_chunks, before.free_chunks + 20000);
}

TEST_F(MallocCensusOf, CountsTheBytesBetweenBlocks) {
  child.run("take 1000 of 1000 B");
  const MallocUse use = added_by("give every second back");
  EXPECT_EQ(use.blocks, static_cast<std::uint64_t>(-500));
  EXPECT_EQ(use.free_chunks, 500U);
  // Pages are in memory as a whole, so that every byte of the holes is.
  EXPECT_EQ(use.free_bytes, 500U * (1000 + header));
}

TEST_F(MallocCensusOf, CountsLargeBlocksByTheirMappings) {
  const MallocUse before = look();
  const MallocUse use = added_by("take 3 of 1 MB");
  EXPECT_EQ(use.blocks, 3U);
  EXPECT_EQ(use.mmapped_bytes, 3U * ((1 << 20) + 4096));
  EXPECT_EQ(use.in_use_bytes, use.mmapped_bytes);
  child.run("give 3 back");
  EXPECT_EQ(look().mmapped_bytes, before.mmapped_bytes);
}

TEST_F(MallocCensusOf, CountsTheArenaOfAThread) {
  const MallocUse use = added_by("take 1000 of 1000 B in a thread");
  EXPECT_EQ(use.thread_arenas, 1U);
  // The thread itself takes a few: its state, its stack's vector, its cache.
  EXPECT_NEAR(static_cast<double>(use.blocks), 1000, 5);
  EXPECT_NEAR(static_cast<double>(use.in_use_bytes), 1000 * (1000 + header), 2000);
}

TEST_F(MallocCensusOf, FollowsAnArenaThroughItsHeapsOf64Megabytes) {
  const MallocUse use = added_by("take 300 MB in a thread");
  EXPECT_NEAR(static_cast<double>(use.blocks), 3000, 5);
  EXPECT_NEAR(static_cast<double>(use.in_use_bytes), 3e8, 1e6);
  EXPECT_NEAR(static_cast<double>(use.resident_bytes), 3e8, 1e6);
  const MallocUse given = added_by("give it back in the thread's arena");
  EXPECT_EQ(given.blocks, static_cast<std::uint64_t>(-3000));
}

TEST_F(MallocCensusOf, FollowsTheMainArenaWhereBrkCannotGrow) {
  child.run("block brk");
  const MallocUse use = added_by("take 20000 of 1000 B");
  EXPECT_EQ(use.blocks, 20000U);
  EXPECT_EQ(use.in_use_bytes, 20000U * (1000 + header));
  EXPECT_NEAR(static_cast<double>(use.resident_bytes), 20000.0 * (1000 + header), 200e3);
}

TEST_F(MallocCensusOf, IsRightOrSaysNothingWhileItsHeapsChange) {
  const MallocUse idle = look();
  child.run("churn");
  auto census = MallocCensus::open(child.pid());
  ASSERT_TRUE(census) << census.error().message();
  for (int i = 0; i < 50; i++) {
    const auto use = census->take();
    if (!use) {
      EXPECT_NE(use.error().message().find("changed while they were read"), std::string::npos);
      continue;
    }
    EXPECT_NEAR(static_cast<double>(use->blocks), static_cast<double>(idle.blocks), 5100);
  }
  child.run("rest");
  const MallocUse first = look();
  const MallocUse second = look();
  EXPECT_EQ(first.blocks, second.blocks);
  EXPECT_EQ(first.in_use_bytes, second.in_use_bytes);
}

TEST(MallocCensus, RefusesAnotherAllocatorByItsName) {
  const auto library = "/usr/lib/x86_64-linux-gnu/libjemalloc.so.2";
  if (!std::filesystem::exists(library)) GTEST_SKIP() << library << " is not installed";
  const pid_t pid = fork();
  if (pid == 0) {
    setenv("LD_PRELOAD", library, 1);
    execlp("sleep", "sleep", "60", nullptr);
    _exit(1);
  }
  std::this_thread::sleep_for(std::chrono::milliseconds(300));
  const auto census = MallocCensus::open(pid);
  ASSERT_FALSE(census);
  EXPECT_NE(census.error().message().find("jemalloc"), std::string::npos);
  kill(pid, SIGKILL);
  waitpid(pid, nullptr, 0);
}

TEST(MallocCensus, AProcessThatIsGoneIsAnError) { EXPECT_FALSE(MallocCensus::open(1 << 22)); }

}  // namespace
}  // namespace ebbtide
