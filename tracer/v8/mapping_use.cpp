#include "tracer/v8/mapping_use.h"

#include <array>

namespace ebbtide {
namespace {

constexpr std::uint64_t chunk_alignment = 1 << 18;

// Where the row of mmapped blocks ends that the mapping begins with. Each begins with 0 and its
// size, a number of pages, whose bit 1 says that it was mmapped.
std::uint64_t end_of_mmapped_blocks(const ProcessMapping& mapping, const TargetMemory& memory) {
  std::uint64_t at = mapping.start;
  std::array<std::uint64_t, 2> words{};
  while (at < mapping.end && memory.read(at, words)) {
    const std::uint64_t size = words[1] & ~std::uint64_t{7};
    const bool block = words[0] == 0 && (words[1] & 7) == 2 && size != 0 && size % page_size == 0 &&
                       size <= mapping.end - at;
    if (!block) break;
    at += size;
  }
  return at;
}

}  // namespace

MappingUse use_of(const ProcessMapping& mapping, const TargetMemory& memory) {
  const bool heap = mapping.path == "[heap]";
  const bool unnamed = mapping.path.empty() || mapping.path.starts_with("[anon");
  if (mapping.inode != 0 || !mapping.readable || mapping.executable || !(heap || unnamed)) {
    return {MemoryUse::other, 0};
  }
  if (heap) return {MemoryUse::malloc, mapping.start};

  std::array<std::uint64_t, 2> words{};
  const bool first_page_resident =
      !memory.resident({mapping.start, mapping.start + page_size}).empty();
  if (first_page_resident && !memory.read(mapping.start, words)) return {MemoryUse::other, 0};
  // The size of a chunk (Node 18, 20) or its flags (22 and later). An arena begins with a pointer.
  if (mapping.start % chunk_alignment == 0 && words[0] != 0 && words[0] >> 32 == 0) {
    return {MemoryUse::heap_chunk, 0};
  }
  if (!mapping.writable) return {MemoryUse::other, 0};
  return {MemoryUse::malloc, end_of_mmapped_blocks(mapping, memory)};
}

}  // namespace ebbtide
