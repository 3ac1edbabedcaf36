// Answers: how many blocks of glibc's malloc does a process have in use, and how much memory does
// malloc keep that is free? Reads its heaps from outside while it runs: nothing is stopped, probed
// or touched. What tells a leak from an allocator that gives nothing back.
#pragma once

#include <sys/types.h>

#include <cstdint>

#include "recording/result.h"
#include "tracer/malloc_layout.h"
#include "tracer/target_memory.h"

namespace ebbtide {

// Sizes of blocks are those of their chunks, header and rounding included. What is in memory or
// swapped out counts as resident.
struct MallocUse {
  std::uint64_t blocks = 0;          // in use
  std::uint64_t in_use_bytes = 0;    // by them
  std::uint64_t mmapped_bytes = 0;   // of those, in blocks with a mapping of their own
  std::uint64_t resident_bytes = 0;  // of all arenas
  // Resident and free, by where:
  std::uint64_t free_bytes = 0;         // between blocks of the main arena
  std::uint64_t top_bytes = 0;          // behind its last block
  std::uint64_t thread_free_bytes = 0;  // in the arenas of threads
  std::uint64_t free_chunks = 0;        // pieces, in all arenas
  std::uint64_t thread_arenas = 0;

  MallocUse& operator+=(const MallocUse& other);
};

class MallocCensus {
 public:
  // Error: the process cannot be read, or does not allocate with glibc's malloc.
  static Result<MallocCensus> open(pid_t pid);

  // Error: the process is gone, or changed its heaps each time they were read.
  Result<MallocUse> take();

 private:
  struct Look;
  MallocCensus(pid_t pid, TargetMemory memory, MallocLayout layout)
      : pid_(pid), memory_(std::move(memory)), layout_(layout) {}

  pid_t pid_;
  TargetMemory memory_;
  MallocLayout layout_;
};

}  // namespace ebbtide
