// Mappings rebuilt from events, with stacks; page faults.
#include <sys/mman.h>
#include <unistd.h>

#include <gmock/gmock.h>

#include <algorithm>
#include <cstdlib>
#include <string>
#include <thread>
#include <vector>

#include "tests/bpf/subject.h"
#include "tests/bpf/traced_run.h"
#include "tracer/bpf_session.h"

namespace ebbtide {
namespace {

constexpr std::size_t page = 4096;

__attribute__((noinline)) char* map_pages(std::size_t pages) {
  void* address =
      mmap(nullptr, pages * page, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  if (address == MAP_FAILED) std::abort();
  return static_cast<char*>(address);
}

// What V8 does to align its pages, and then some.
std::int64_t churn() {
  for (int i = 0; i < 50; i++) {
    char* area = map_pages(64);
    munmap(area, 7 * page);               // the front
    munmap(area + 40 * page, 24 * page);  // the back
    munmap(area + 20 * page, 3 * page);   // a hole
    char* moved = static_cast<char*>(mremap(area + 7 * page, 13 * page, 30 * page, MREMAP_MAYMOVE));
    if (i % 2 == 0) munmap(moved, 30 * page);
    mmap(area + 23 * page, page, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED, -1, 0);
    munmap(area + 23 * page, 17 * page);
  }
  return 0;
}

__attribute__((noinline)) std::int64_t keep_ninety_pages() {
  for (int i = 0; i < 3; i++) {
    char* area = map_pages(40);
    munmap(area, 10 * page);
  }
  return 0;
}

std::int64_t grow_heap() {
  if (sbrk(25 * page) == reinterpret_cast<void*>(-1)) return -1;
  if (sbrk(-5 * static_cast<std::intptr_t>(page)) == reinterpret_cast<void*>(-1)) return -1;
  return 0;
}

std::vector<Resource> mappings_of(const Recording& recording, std::uint32_t cycle) {
  std::vector<Resource> found;
  std::copy_if(recording.resources.begin(), recording.resources.end(), std::back_inserter(found),
               [cycle](const Resource& resource) {
                 return resource.kind == ResourceKind::mapping && resource.birth_cycle == cycle &&
                        resource.death_ns == 0;
               });
  return found;
}

std::uint64_t bytes_of(const std::vector<Resource>& resources) {
  std::uint64_t bytes = 0;
  for (const Resource& resource : resources) bytes += resource.size_bytes;
  return bytes;
}

TEST(Mappings, RebuiltTotalIsTheKernels) {
  Subject subject({{"churn", churn}, {"grow heap", grow_heap}});
  TracedRun run(subject.pid());
  run.tracer().set_epoch(1, Phase::open);
  ASSERT_EQ(subject.run("churn"), 0);
  ASSERT_EQ(subject.run("grow heap"), 0);
  run.settle(1);
  const Recording recording = run.finish();
  EXPECT_EQ(gauge_of(recording, 1, GaugeKind::mapped_rebuilt_bytes),
            gauge_of(recording, 1, GaugeKind::mapped_bytes));
  EXPECT_EQ(bytes_of(mappings_of(recording, 1)), (25 * 30 + 20) * page);
}

TEST(Mappings, SurvivorsCarryEpochStackAndRemainingBytes) {
  Subject subject({{"keep", keep_ninety_pages}});
  TracedRun run(subject.pid());
  run.tracer().set_epoch(4, Phase::hold);
  ASSERT_EQ(subject.run("keep"), 0);
  run.settle(4);
  const Recording recording = run.finish();
  const auto kept = mappings_of(recording, 4);
  ASSERT_EQ(kept.size(), 3u);
  EXPECT_EQ(bytes_of(kept), 90 * page);
  for (const Resource& mapping : kept) {
    EXPECT_EQ(mapping.birth_phase, Phase::hold);
    EXPECT_EQ(mapping.label, "anonymous rw-");
    EXPECT_EQ(mapping.stack_id, kept[0].stack_id) << "one call site, one stack";
  }
  const auto stack = std::find_if(recording.stacks.begin(), recording.stacks.end(),
                                  [&](const Stack& s) { return s.id == kept[0].stack_id; });
  ASSERT_NE(stack, recording.stacks.end());
  ASSERT_GE(stack->frames.size(), 3u);
  EXPECT_THAT(stack->frames[0].symbol, ::testing::HasSubstr("mmap"));
  EXPECT_THAT(stack->frames[1].symbol, ::testing::HasSubstr("map_pages"));
  EXPECT_THAT(stack->frames[2].symbol, ::testing::HasSubstr("keep_ninety_pages"));
  const auto births = std::find_if(
      recording.births.begin(), recording.births.end(),
      [](const BirthCount& b) { return b.kind == ResourceKind::mapping && b.cycle == 4; });
  ASSERT_NE(births, recording.births.end());
  EXPECT_EQ(births->births, 3u);
  EXPECT_EQ(births->bytes, 120 * page);
  EXPECT_EQ(loss_of(recording, "stack hash collisions"), 0u);
}

// Kernels have let the iterator go round for ever when it met a thread that waited to map.
TEST(Mappings, TheCensusEndsWhileEveryThreadMaps) {
  Subject subject({{"map for ever", [] {
                      // Every other page unmapped: four thousand mappings need several reads.
                      char* area = map_pages(8000);
                      for (int i = 0; i < 8000; i += 2) munmap(area + i * page, page);
                      for (int i = 0; i < 4; i++) {
                        std::thread([] {
                          for (;;) munmap(map_pages(4), 4 * page);
                        }).detach();
                      }
                      return 0;
                    }}});
  auto session = BpfSession::load({.tgids = {subject.pid()}}).value();
  subject.run("map for ever");
  for (int i = 0; i < 1000; i++) {
    const auto vmas = session->read_vmas(subject.pid());
    ASSERT_TRUE(vmas) << vmas.error().message();
    ASSERT_GT(vmas->size(), 4000u);
    for (std::size_t at = 1; at < vmas->size(); at++)
      ASSERT_GE((*vmas)[at].start, (*vmas)[at - 1].end);
  }
}

TEST(Mappings, PageFaultsAreSampledOnRequest) {
  constexpr std::int64_t pages = 2000;
  Subject subject({{"touch", [] {
                      char* area = map_pages(pages);
                      madvise(area, pages * page, MADV_NOHUGEPAGE);
                      for (std::int64_t i = 0; i < pages; i++) area[i * page] = 1;
                      return pages;
                    }}});
  TracedRun run(subject.pid(), {.fault_period = 4});
  run.tracer().set_epoch(2, Phase::hold);
  ASSERT_EQ(subject.run("touch"), pages);
  run.settle(2);
  const Recording recording = run.finish();
  std::uint64_t samples = 0;
  for (const FaultCount& fault : recording.faults) {
    EXPECT_EQ(fault.period, 4u);
    if (fault.cycle == 2) samples += fault.samples;
  }
  const std::uint64_t taken = samples + loss_of(recording, "page fault samples over budget");
  EXPECT_NEAR(static_cast<double>(taken), pages / 4.0, 100.0);  // 5 sigma of a binomial
  EXPECT_GT(samples, 0u);
}

}  // namespace
}  // namespace ebbtide
