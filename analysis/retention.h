// Answers: which memory does an allocator keep that nothing uses, and where? It makes resident
// memory grow and is no leak: what is taken later is served from it.
#pragma once

#include <cstdint>
#include <string_view>
#include <vector>

#include "recording/run.h"

namespace ebbtide {

enum class KeptIn : std::uint8_t {
  pieces,         // between blocks of malloc's main arena
  thread_arenas,  // in malloc's arenas of threads
  top,            // behind the last block of the main arena
  v8_pages,       // committed by V8 and not used after a full collection
};

std::string_view name_of(KeptIn place);  // "thread_arenas"

struct KeptMemory {
  KeptIn place = KeptIn::pieces;
  double before = 0;  // bytes in memory at the first settle point
  double after = 0;   // … and at the last one

  [[nodiscard]] double grown() const { return after - before; }
};

struct Retention {
  std::vector<KeptMemory> parts;    // what grew, the most first; empty: nothing worth naming did
  double anonymous = 0;             // bytes of anonymous memory and swap at the end
  double in_use = 0;                // bytes of malloc's blocks at the end
  std::uint64_t pieces = 0;         // free ones, in all arenas, at the end
  std::uint64_t thread_arenas = 0;  // at the end

  [[nodiscard]] double grown() const;
};

// Between the first and the last settle point at which malloc's blocks were counted.
Retention find_retention(const Recording& recording);

}  // namespace ebbtide
