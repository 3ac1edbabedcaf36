// Answers: is a mapping of the target a part of its JavaScript heap, or malloc's?
#pragma once

#include <cstdint>

#include "tracer/process_maps.h"
#include "tracer/target_memory.h"

namespace ebbtide {

// Anonymous memory that JavaScript objects may be in, or malloc's, by how it begins.
enum class MemoryUse : std::uint8_t {
  heap_chunk,  // aligned to 256 KiB and begins with the small number that V8's chunks begin with
  malloc,      // brk heap, arenas, whatever else holds small allocations
  other,       // mapped from a file, executable, not readable
};
struct MappingUse {
  MemoryUse use = MemoryUse::other;
  // Of malloc: what lies before are single mmapped blocks (Buffers), which are not searched. The
  // kernel makes one mapping of neighbours, so that an arena may follow them: where brk cannot
  // grow, glibc's main arena goes on in such a mapping.
  std::uint64_t search_from = 0;
};
MappingUse use_of(const ProcessMapping& mapping, const TargetMemory& memory);

}  // namespace ebbtide
