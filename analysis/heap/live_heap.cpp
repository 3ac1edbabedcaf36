#include "analysis/heap/live_heap.h"

#include <fmt/format.h>

#include <algorithm>
#include <cstring>
#include <optional>
#include <utility>

#include "analysis/heap/live_graph.h"
#include "analysis/heap/live_isolates.h"
#include "analysis/heap/live_layout.h"
#include "analysis/heap/live_memory.h"
#include "analysis/heap/live_objects.h"

namespace ebbtide {
namespace {

constexpr std::uint32_t least_walked_permille = 900;

// 4 KiB pages of the isolate's chunks that hold anything.
std::uint64_t resident_bytes(const LiveMemory& memory, std::uint16_t isolate) {
  constexpr std::uint32_t page_size = 4096;
  static constexpr std::array<std::byte, page_size> zeros{};
  std::uint64_t bytes = 0;
  for (const LivePage& page : memory.pages()) {
    if (page.isolate != isolate) continue;
    for (std::uint32_t at = 0; at + page_size <= page.length; at += page_size) {
      if (std::memcmp(page.bytes + at, zeros.data(), page_size) != 0) bytes += page_size;
    }
  }
  return bytes;
}

}  // namespace

Result<std::vector<IsolateHeap>> read_live_heap(const HeapImage& image) {
  auto layout = LiveLayout::from(image);
  if (!layout) return layout.error();
  LiveMemory memory(image);
  LiveObjects objects(memory, *layout);
  if (auto found = objects.find(); !found) return found.error();
  if (objects.walked_permille() < least_walked_permille) {
    return Error{"read the heap", "",
                 fmt::format("its layout is not understood: {} % of it can be read as objects",
                             objects.walked_permille() / 10),
                 ""};
  }
  LiveIsolates isolates(memory, *layout, objects);
  if (auto found = isolates.find(image); !found) return found.error();

  struct Named {
    std::optional<std::int32_t> thread;
    IsolateHeap heap;
  };
  std::vector<Named> named;
  for (std::uint16_t i = 0; i < isolates.count(); ++i) {
    LiveGraph builder(memory, *layout, objects);
    Named& each = named.emplace_back();
    each.heap.graph = builder.make(i, isolates.roots(i));
    each.heap.resident_bytes = resident_bytes(memory, i);
    each.heap.walked_permille = objects.walked_permille();
    each.thread = builder.thread_id();
  }
  // Node numbers its threads, the main one 0; without that, the largest heap is the main one's.
  std::ranges::stable_sort(named, [](const Named& left, const Named& right) {
    if (left.thread.has_value() != right.thread.has_value()) return left.thread.has_value();
    if (left.thread != right.thread) return left.thread < right.thread;
    return left.heap.graph.size() > right.heap.graph.size();
  });
  std::vector<IsolateHeap> heaps;
  for (std::size_t i = 0; i < named.size(); ++i) {
    IsolateHeap& heap = heaps.emplace_back(std::move(named[i].heap));
    const auto number = named[i].thread.value_or(static_cast<std::int32_t>(i));
    heap.name = i == 0 ? "main" : fmt::format("worker {}", number);
  }
  return heaps;
}

}  // namespace ebbtide
