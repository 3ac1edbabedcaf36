// Answers: where does the glibc of this process keep its account of malloc? Found by shape, with no
// symbol and no table of versions: an arena's 127 bins stand in one row, and an empty one, as the
// last always is, is a pair of pointers to itself (struct malloc_state in glibc's malloc/malloc.c).
#pragma once

#include <sys/types.h>

#include <array>
#include <cstdint>
#include <optional>
#include <vector>

#include "recording/result.h"
#include "tracer/process_maps.h"
#include "tracer/target_memory.h"

namespace ebbtide {

struct MallocArena {
  std::uint64_t address = 0;
  std::uint64_t top = 0;                  // the chunk at its end, from which it is served last
  std::uint64_t taken_bytes = 0;          // from the kernel
  std::uint64_t next = 0;                 // arenas make a ring
  std::vector<std::uint64_t> fast_lists;  // heads of lists of freed chunks that look in use
};

class MallocLayout {
 public:
  // Error: none of the process's files has such an account, or malloc was never called.
  static Result<MallocLayout> find(pid_t pid, const TargetMemory& memory);

  // The main arena first. Empty when the ring does not close: it is being changed.
  [[nodiscard]] std::vector<MallocArena> arenas(const TargetMemory& memory) const;

  // Blocks with a mapping of their own.
  struct Mmapped {
    std::uint64_t blocks = 0;
    std::uint64_t bytes = 0;
  };
  [[nodiscard]] std::optional<Mmapped> mmapped(const TargetMemory& memory) const;

  // Where the main arena's part of [heap] begins.
  [[nodiscard]] std::optional<std::uint64_t> heap_start(const TargetMemory& memory) const;

  [[nodiscard]] std::uint64_t arena_size() const;

 private:
  [[nodiscard]] std::optional<MallocArena> arena_at(const TargetMemory& memory,
                                                    std::uint64_t address) const;
  bool find_in(const TargetMemory& memory, const ProcessMapping& data);

  std::uint64_t main_arena_ = 0;
  std::uint64_t bins_offset_ = 0;  // of the bins in an arena
  std::uint64_t brk_start_ = 0;    // address of mp_.sbrk_base
  std::uint64_t mmap_count_ = 0;   // address of mp_.n_mmaps
};

}  // namespace ebbtide
