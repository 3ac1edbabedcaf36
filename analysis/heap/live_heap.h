// Answers: which objects are in the memory of a live V8 process? Reads an image by the layout that
// the runtime's own v8dbg symbols describe; trusts none of its bytes.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "analysis/heap/graph.h"
#include "recording/heap_image.h"
#include "recording/result.h"

namespace ebbtide {

struct IsolateHeap {
  std::string name;  // "main", "worker 1", …; the main thread's first
  HeapGraph graph;
  std::uint64_t resident_bytes = 0;   // pages of its chunks that are in memory
  std::uint32_t walked_permille = 0;  // share of its chunks that could be read as objects
};

// Errors: the layout is not understood (too little of the heap walks as objects, no native
// context), with what was seen; never a graph that may be wrong.
Result<std::vector<IsolateHeap>> read_live_heap(const HeapImage& image);

}  // namespace ebbtide
