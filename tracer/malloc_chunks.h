// Answers: which of an arena's memory is in use, and which is free? Chunks lie one behind another,
// each with its size and whether the one before it is in use (struct malloc_chunk in glibc's
// malloc/malloc.c). The target runs while it is read: only a walk that comes out exactly at the end
// is one.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <vector>

#include "tracer/target_memory.h"

namespace ebbtide {

// A part of the target's memory, read as it is needed; what was never touched stays so.
class ArenaMemory {
 public:
  ArenaMemory(const TargetMemory& memory, AddressRange range);

  // Up to `size` bytes, fewer where the next page is not in memory. Valid until the next call.
  std::span<const std::byte> bytes(std::uint64_t address, std::size_t size);
  // The word at a multiple of 8; nullopt where nothing is.
  std::optional<std::uint64_t> word(std::uint64_t address);

  [[nodiscard]] const TargetMemory& target() const { return memory_; }
  [[nodiscard]] AddressRange range() const { return range_; }
  [[nodiscard]] std::uint64_t resident_bytes(AddressRange range) const;

 private:
  const TargetMemory& memory_;
  AddressRange range_;
  std::vector<AddressRange> resident_;  // ascending
  std::vector<std::byte> window_;
  std::uint64_t window_start_ = 0;
  std::size_t window_size_ = 0;
};

// What a row of chunks amounts to, headers included.
struct ChunkTally {
  std::uint64_t in_use_blocks = 0;
  std::uint64_t in_use_bytes = 0;
  std::uint64_t free_chunks = 0;
  std::uint64_t free_resident_bytes = 0;  // of their pages that are in memory
  std::uint64_t top_resident_bytes = 0;
  // Of those in use, what threads keep at hand after free() (tcache_perthread_struct).
  std::uint64_t cached_blocks = 0;
  std::uint64_t cached_bytes = 0;

  ChunkTally& operator+=(const ChunkTally& other);
};

// A row of chunks that ends with the arena's top or with the mark that nothing of it follows.
struct ChunkRow {
  ChunkTally tally;
  std::uint64_t end = 0;  // the first byte behind it
  bool has_top = false;
};

// Walks the row that begins at `start`. nullopt: no such row is there, or it changed meanwhile.
std::optional<ChunkRow> walk_chunks(ArenaMemory& memory, std::uint64_t start, std::uint64_t top);

// Follows a list of freed chunks that look in use, whose head is the address of a chunk. nullopt:
// it is no list, or is longer than `most`.
std::optional<ChunkTally> follow_fast_list(const TargetMemory& memory, std::uint64_t head,
                                           std::uint64_t most);

}  // namespace ebbtide
