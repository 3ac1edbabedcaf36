// Images of real processes, damaged in ways that keep them looking like heaps: reading them ends,
// within bounds of time and memory, with graphs that hold together or with an error.
#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <cstring>
#include <memory>
#include <random>
#include <string>
#include <vector>

#include "analysis/heap/live_heap.h"
#include "tests/e2e/node_child.h"
#include "tracer/v8/heap_capture.h"

namespace ebbtide {
namespace {

// A copy whose bytes may be changed.
class DamagedImage {
 public:
  explicit DamagedImage(const HeapImage& image) : image_(image) {
    for (HeapRegion& region : image_.regions) {
      bytes_.emplace_back(region.bytes.begin(), region.bytes.end());
      region.bytes = bytes_.back();
    }
  }

  void damage(std::mt19937& random) {
    const auto changes = 1 + random() % 2000;
    for (unsigned i = 0; i < changes; ++i) change_word(random);
    if (random() % 4 == 0) truncate_region(random);
    if (random() % 4 == 0) change_layout(random);
  }
  // Of every page but the constants', the second half is noise.
  void scramble(std::mt19937& random) {
    for (std::size_t i = 0; i < bytes_.size(); ++i) {
      if (!image_.regions[i].chunk_aligned || image_.regions[i].read_only) continue;
      constexpr std::size_t chunk = 1 << 18;
      for (std::size_t at = 0; at + 8 <= bytes_[i].size(); at += 8) {
        if (at % chunk < chunk / 2) continue;
        const std::uint64_t word = std::uint64_t{random()} << 32 | random() | 2;
        std::memcpy(bytes_[i].data() + at, &word, sizeof word);
      }
    }
  }
  [[nodiscard]] const HeapImage& image() const { return image_; }

 private:
  std::size_t any_region(std::mt19937& random) {
    std::size_t region = 0;
    do {
      region = random() % bytes_.size();
    } while (bytes_[region].size() < 16);
    return region;
  }
  std::byte* any_word(std::mt19937& random) {
    auto& bytes = bytes_[any_region(random)];
    return bytes.data() + random() % (bytes.size() / 8) * 8;
  }
  // With another word of the heap, most often a reference; a large length; or anything.
  void change_word(std::mt19937& random) {
    std::uint64_t word = 0;
    switch (random() % 4) {
      case 0:
        std::memcpy(&word, any_word(random), sizeof word);
        word ^= random() % 8 == 0 ? 2 : 0;
        break;
      case 1:
        word = std::uint64_t{random()} << 32;
        break;
      case 2:
        word = image_.regions[any_region(random)].start + random() % (1 << 18) / 8 * 8 + 1;
        break;
      default:
        word = std::uint64_t{random()} << 32 | random();
    }
    std::memcpy(any_word(random), &word, sizeof word);
  }
  void truncate_region(std::mt19937& random) {
    const auto region = any_region(random);
    image_.regions[region].bytes =
        image_.regions[region].bytes.first(random() % bytes_[region].size());
    bytes_[region].resize(image_.regions[region].bytes.size());
  }
  void change_layout(std::mt19937& random) {
    auto entry = std::next(image_.layout.begin(),
                           static_cast<std::ptrdiff_t>(random() % image_.layout.size()));
    entry->second = random() % 2 == 0 ? static_cast<std::int32_t>(random())
                                      : static_cast<std::int32_t>(random() % 64);
  }

  HeapImage image_;
  std::vector<std::vector<std::byte>> bytes_;
};

void check(const HeapGraph& graph) {
  ASSERT_EQ(graph.name.size(), graph.size());
  ASSERT_EQ(graph.self_size.size(), graph.size());
  ASSERT_EQ(graph.first_edge.size(), graph.size() + std::size_t{1});
  ASSERT_EQ(graph.first_edge.back(), graph.edges.size());
  for (NodeIndex node = 0; node < graph.size(); ++node) {
    ASSERT_LE(graph.first_edge[node], graph.first_edge[node + 1]);
    ASSERT_LT(graph.name[node], graph.strings.size());
  }
  for (const HeapEdge& edge : graph.edges) {
    ASSERT_LT(edge.to, graph.size());
    ASSERT_TRUE(edge.kind() == EdgeKind::element || edge.number() < graph.strings.size());
  }
  for (const HeapLocation& location : graph.locations) {
    ASSERT_LT(location.node, graph.size());
    ASSERT_LT(location.script, graph.scripts.size());
  }
  ASSERT_TRUE(std::ranges::is_sorted(graph.locations, {}, &HeapLocation::node));
  ASSERT_TRUE(std::ranges::is_sorted(graph.containers, {}, &ContainerSize::node));
}

class DamagedHeap : public testing::TestWithParam<int> {
 protected:
  DamagedHeap() {
    const auto node =
        fmt::format(SOURCE_DIR "/tests/packages/node_modules/node{}/bin/node", GetParam());
    Child child({node, "--expose-gc", SOURCE_DIR "/tests/e2e/heap/known_heap.js"});
    EXPECT_TRUE(child.wait_for("ready"));
    auto capture = HeapCapture::open(child.pid());
    if (!capture) throw std::runtime_error(capture.error().message());
    auto image = (*capture)->take();
    if (!image) throw std::runtime_error(image.error().message());
    image_ = std::move(*image);
  }
  HeapImage image_;
};

TEST_P(DamagedHeap, IsReadOrRefused) {
  std::size_t read = 0;
  for (unsigned seed = 0; seed < 50; ++seed) {
    SCOPED_TRACE(seed);
    std::mt19937 random(seed);
    DamagedImage damaged(image_);
    damaged.damage(random);
    const auto heaps = read_live_heap(damaged.image());
    if (!heaps) continue;
    ++read;
    for (const IsolateHeap& heap : *heaps) check(heap.graph);
  }
  EXPECT_GT(read, 0u);
}

// Never a graph of what is not understood.
TEST_P(DamagedHeap, IsRefusedWhenItsLayoutIsAnother) {
  const auto refusal = [](const HeapImage& image) {
    const auto heaps = read_live_heap(image);
    return heaps ? std::string("read") : heaps.error().reason;
  };
  for (const auto* symbol : {"type_Map__MAP_TYPE", "FirstContextType"}) {
    HeapImage other = image_;
    other.layout.erase(symbol);
    EXPECT_THAT(refusal(other), testing::HasSubstr("not understood: no v8dbg_")) << symbol;
    other = image_;
    other.layout[symbol] += 30;
    EXPECT_THAT(refusal(other), testing::HasSubstr("not understood")) << symbol;
  }
  HeapImage empty = image_;
  std::erase_if(empty.regions, [](const HeapRegion& region) { return region.chunk_aligned; });
  EXPECT_THAT(refusal(empty), testing::HasSubstr("not understood"));
}

TEST_P(DamagedHeap, IsRefusedWhenTooLittleOfItIsObjects) {
  DamagedImage damaged(image_);
  std::mt19937 random(GetParam());
  damaged.scramble(random);
  const auto heaps = read_live_heap(damaged.image());
  ASSERT_FALSE(heaps);
  EXPECT_THAT(heaps.error().reason, testing::HasSubstr("% of it can be read as objects"));
}

INSTANTIATE_TEST_SUITE_P(Node, DamagedHeap, testing::Values(18, 20, 22, 24, 26),
                         [](const auto& major) { return std::to_string(major.param); });

}  // namespace
}  // namespace ebbtide
