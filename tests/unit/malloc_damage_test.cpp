// What is read from the target is hostile: whatever stands in its heaps, the census ends and gives
// either nothing or numbers that its mappings could hold.
#include <gtest/gtest.h>
#include <sys/uio.h>

#include <array>
#include <chrono>
#include <cstdlib>
#include <cstring>
#include <random>
#include <vector>

#include "tests/bpf/subject.h"
#include "tracer/malloc_census.h"
#include "tracer/process_maps.h"

namespace ebbtide {
namespace {

void write_to(pid_t pid, std::uint64_t address, std::span<const std::byte> bytes) {
  const iovec local{const_cast<std::byte*>(bytes.data()), bytes.size()};
  const iovec remote{reinterpret_cast<void*>(address), bytes.size()};
  ASSERT_EQ(process_vm_writev(pid, &local, 1, &remote, 1, 0), static_cast<ssize_t>(bytes.size()));
}

// The child's memory that the census reads, put back after each damage.
class Damage {
 public:
  explicit Damage(pid_t pid) : pid_(pid) {
    const auto memory = TargetMemory::open(pid);
    const auto layout = MallocLayout::find(pid, *memory);
    const auto mappings = read_process_maps(pid);
    for (const ProcessMapping& mapping : *mappings) {
      const bool data = mapping.path.find("/libc.so") != std::string::npos && mapping.writable;
      if (mapping.path != "[heap]" && !data) continue;
      Part part{mapping.start, std::vector<std::byte>(mapping.end - mapping.start)};
      EXPECT_TRUE(memory->read(part.start, std::span(part.bytes)));
      parts_.push_back(std::move(part));
    }
    for (const MallocArena& arena : layout->arenas(*memory)) {
      Part part{arena.address, std::vector<std::byte>(layout->arena_size())};
      EXPECT_TRUE(memory->read(part.start, std::span(part.bytes)));
      parts_.push_back(std::move(part));
    }
    EXPECT_GE(parts_.size(), 3U);
  }

  void inflict(std::mt19937_64& random) {
    const int words = 1 + static_cast<int>(random() % 20);
    for (int i = 0; i < words; i++) {
      const Part& part = parts_[random() % parts_.size()];
      // Headers stand at every second word; pointers into the parts are the worst of values.
      const std::uint64_t at = random() % (part.bytes.size() / 8) * 8;
      const Part& other = parts_[random() % parts_.size()];
      const std::array<std::uint64_t, 6> values = {
          random(),
          random() % 4096,
          0,
          ~std::uint64_t{0},
          other.start + random() % other.bytes.size() / 16 * 16,
          std::uint64_t{1} << random() % 64};
      const std::uint64_t value = values[random() % values.size()];
      write_to(pid_, part.start + at, std::as_bytes(std::span(&value, 1)));
    }
  }
  void mend() {
    for (const Part& part : parts_) write_to(pid_, part.start, part.bytes);
  }

 private:
  struct Part {
    std::uint64_t start = 0;
    std::vector<std::byte> bytes;
  };
  pid_t pid_;
  std::vector<Part> parts_;
};

TEST(MallocDamage, WhateverStandsInTheHeapTheCensusEnds) {
  static std::array<void*, 2000> blocks;
  Subject child({{"fill", [] {
                    for (std::size_t i = 0; i < blocks.size(); i++)
                      std::memset(blocks[i] = std::malloc(24 + i % 700), 1, 24);
                    for (std::size_t i = 0; i < blocks.size(); i += 3) std::free(blocks[i]);
                    return 0L;
                  }}});
  child.run("fill");
  auto census = MallocCensus::open(child.pid());
  ASSERT_TRUE(census) << census.error().message();
  const auto whole = census->take();
  ASSERT_TRUE(whole) << whole.error().message();
  Damage damage(child.pid());
  std::mt19937_64 random(20260603);
  int read = 0;
  for (int i = 0; i < 400; i++) {
    damage.inflict(random);
    const auto start = std::chrono::steady_clock::now();
    const auto reopened = MallocCensus::open(child.pid());
    const auto use = census->take();
    EXPECT_LT(std::chrono::steady_clock::now() - start, std::chrono::seconds(5)) << i;
    if (use) {
      read++;
      EXPECT_LT(use->in_use_bytes - use->mmapped_bytes, 1U << 30) << i;
      EXPECT_LT(use->resident_bytes, 1U << 30) << i;
    }
    damage.mend();
  }
  EXPECT_GT(read, 0);
  EXPECT_LT(read, 400);
  const auto mended = census->take();
  ASSERT_TRUE(mended) << mended.error().message();
  EXPECT_EQ(mended->blocks, whole->blocks);
}

}  // namespace
}  // namespace ebbtide
