#include "tracer/malloc_census.h"

#include <fmt/format.h>

#include <algorithm>
#include <chrono>
#include <thread>

#include "tracer/malloc_chunks.h"

namespace ebbtide {
namespace {

constexpr std::uint64_t chunk_alignment = 16;
constexpr std::uint64_t heap_reservation = 64U << 20;  // HEAP_MAX_SIZE
constexpr int most_attempts = 5;
constexpr std::chrono::milliseconds between_attempts{5};

std::uint64_t aligned(std::uint64_t address) {
  return (address + chunk_alignment - 1) / chunk_alignment * chunk_alignment;
}

std::uint64_t reservation_of(std::uint64_t address) { return address & ~(heap_reservation - 1); }

// What a thread's heap begins with, in its reservation.
struct HeapInfo {
  std::uint64_t arena = 0;
  std::uint64_t previous = 0;
  std::uint64_t size = 0;
};

// Where blocks may be. What the kernel keeps as two mappings, as it does with a heap that grew
// behind a fork, is one.
std::vector<AddressRange> anonymous_memory(const std::vector<ProcessMapping>& mappings) {
  std::vector<AddressRange> ranges;
  for (const ProcessMapping& mapping : mappings) {
    const bool unnamed = mapping.path.empty() || mapping.path.starts_with("[anon");
    if (mapping.inode != 0 || !mapping.readable || !mapping.writable || mapping.executable ||
        !(unnamed || mapping.path == "[heap]"))
      continue;
    if (ranges.empty() || ranges.back().end != mapping.start)
      ranges.push_back({mapping.start, mapping.start});
    ranges.back().end = mapping.end;
  }
  return ranges;
}

}  // namespace

MallocUse& MallocUse::operator+=(const MallocUse& other) {
  blocks += other.blocks;
  in_use_bytes += other.in_use_bytes;
  mmapped_bytes += other.mmapped_bytes;
  resident_bytes += other.resident_bytes;
  free_bytes += other.free_bytes;
  top_bytes += other.top_bytes;
  thread_free_bytes += other.thread_free_bytes;
  free_chunks += other.free_chunks;
  thread_arenas += other.thread_arenas;
  return *this;
}

// One attempt. Each step says no when what it read does not fit together.
struct MallocCensus::Look {
  // An arena while its rows are gathered.
  struct Part {
    std::uint64_t top = 0;
    std::uint64_t missing = 0;  // of what it took from the kernel
    ChunkTally tally;
  };
  MallocCensus& census;
  MallocUse use;
  ChunkTally all;

  bool take();
  bool add_main_arena(const MallocArena& arena);
  bool add_heap(AddressRange heap, Part& part);
  void add_scattered(AddressRange range, Part& part);
  bool add_row(ArenaMemory& memory, std::uint64_t start, Part& part, std::uint64_t& end);
  bool add_thread_arena(const MallocArena& arena);
  bool add_fast_lists(const MallocArena& arena, ChunkTally& tally) const;
};

bool MallocCensus::Look::take() {
  const auto arenas = census.layout_.arenas(census.memory_);
  const auto mmapped = census.layout_.mmapped(census.memory_);
  if (arenas.empty() || !mmapped || !add_main_arena(arenas.front())) return false;
  for (std::size_t i = 1; i < arenas.size(); i++) {
    if (!add_thread_arena(arenas[i])) return false;
  }
  const auto later = census.layout_.arenas(census.memory_);
  const auto same = [](const MallocArena& before, const MallocArena& after) {
    return before.address == after.address && before.top == after.top &&
           before.taken_bytes == after.taken_bytes;
  };
  if (!std::ranges::equal(arenas, later, same)) return false;
  if (all.cached_blocks > all.in_use_blocks || all.cached_bytes > all.in_use_bytes) return false;
  use.blocks = all.in_use_blocks - all.cached_blocks + mmapped->blocks;
  use.in_use_bytes = all.in_use_bytes - all.cached_bytes + mmapped->bytes;
  use.mmapped_bytes = mmapped->bytes;
  use.free_chunks = all.free_chunks + all.cached_blocks;
  use.thread_arenas = arenas.size() - 1;
  return true;
}

bool MallocCensus::Look::add_fast_lists(const MallocArena& arena, ChunkTally& tally) const {
  for (const std::uint64_t head : arena.fast_lists) {
    const auto list = follow_fast_list(census.memory_, head, tally.in_use_blocks);
    if (!list) return false;
    tally += *list;
  }
  return true;
}

bool MallocCensus::Look::add_row(ArenaMemory& memory, std::uint64_t start, Part& part,
                                 std::uint64_t& end) {
  const auto row = walk_chunks(memory, aligned(start), part.top);
  if (!row || row->end - start > part.missing) return false;
  end = row->end;
  part.tally += row->tally;
  part.missing -= end - start;
  use.resident_bytes += memory.resident_bytes({start, end});
  return true;
}

// Behind an end mark it goes on: there it had to take memory elsewhere, and came back later.
bool MallocCensus::Look::add_heap(AddressRange heap, Part& part) {
  ArenaMemory memory(census.memory_, heap);
  for (std::uint64_t at = heap.start; at < heap.end && part.missing > 0;) {
    if (!add_row(memory, at, part, at)) return false;
  }
  return true;
}

// Where brk could not grow, the main arena went on in mappings, which the kernel may have joined
// with others before and behind: a row may begin at any page.
void MallocCensus::Look::add_scattered(AddressRange range, Part& part) {
  if (part.missing == 0) return;
  ArenaMemory memory(census.memory_, range);
  for (std::uint64_t at = range.start; at < range.end && part.missing > 0;) {
    if (!add_row(memory, at, part, at)) at += page_size;
  }
}

bool MallocCensus::Look::add_main_arena(const MallocArena& arena) {
  const auto start = census.layout_.heap_start(census.memory_);
  const auto mappings = read_process_maps(census.pid_);
  if (!start || !mappings) return false;
  Part part{arena.top, arena.taken_bytes, {}};
  const std::vector<AddressRange> ranges = anonymous_memory(*mappings);
  const auto holds_start = [&](AddressRange range) {
    return range.start <= *start && *start < range.end;
  };
  const auto heap = std::ranges::find_if(ranges, holds_start);
  if (heap != ranges.end() && !add_heap({*start, heap->end}, part)) return false;
  for (const AddressRange range : ranges) {
    if (!holds_start(range)) add_scattered(range, part);
  }
  if (part.missing > 0 || !add_fast_lists(arena, part.tally)) return false;
  const ChunkTally& tally = part.tally;
  use.free_bytes += tally.free_resident_bytes + tally.cached_bytes;
  use.top_bytes += tally.top_resident_bytes;
  all += tally;
  return true;
}

// From the heap that holds the top back to the one that holds the arena.
bool MallocCensus::Look::add_thread_arena(const MallocArena& arena) {
  ChunkTally tally;
  std::uint64_t missing = arena.taken_bytes;
  const std::uint64_t first_heap = reservation_of(arena.address);
  const std::uint64_t info_size = arena.address - first_heap;
  for (std::uint64_t heap = reservation_of(arena.top); missing > 0;) {
    HeapInfo info;
    if (!census.memory_.read(heap, info) || info.arena != arena.address || info.size > missing ||
        info.size > heap_reservation || info.size < info_size)
      return false;
    missing -= info.size;
    ArenaMemory memory(census.memory_, {heap, heap + info.size});
    const std::uint64_t start =
        heap == first_heap ? arena.address + census.layout_.arena_size() : heap + info_size;
    const auto row = walk_chunks(memory, aligned(start), arena.top);
    if (!row || row->has_top != (heap == reservation_of(arena.top))) return false;
    tally += row->tally;
    use.resident_bytes += memory.resident_bytes(memory.range());
    if (heap == first_heap) break;
    heap = info.previous;
  }
  if (missing > 0 || !add_fast_lists(arena, tally)) return false;
  use.thread_free_bytes +=
      tally.free_resident_bytes + tally.cached_bytes + tally.top_resident_bytes;
  all += tally;
  return true;
}

Result<MallocCensus> MallocCensus::open(pid_t pid) {
  auto memory = TargetMemory::open(pid);
  if (!memory) return memory.error();
  const auto layout = MallocLayout::find(pid, *memory);
  if (!layout) return layout.error();
  return MallocCensus(pid, *std::move(memory), *layout);
}

Result<MallocUse> MallocCensus::take() {
  for (int attempt = 0; attempt < most_attempts; attempt++) {
    if (attempt > 0) std::this_thread::sleep_for(between_attempts);
    Look look{*this, {}, {}};
    if (look.take()) return look.use;
  }
  return Error{"read malloc's heaps of", fmt::format("process {}", pid_),
               "they changed while they were read, each of several times", ""};
}

}  // namespace ebbtide
