// Answers: what did the memory of a V8 process look like at one moment? Bytes as they were, with
// what the runtime's own debugging symbols say of their layout; analysis/heap/ makes objects of it.
#pragma once

#include <cstddef>
#include <cstdint>
#include <map>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "recording/result.h"

namespace ebbtide {

// Bytes of the target from `start` on. Pages that were not in memory are zero and cost nothing.
struct HeapRegion {
  std::uint64_t start = 0;  // address in the target
  std::span<const std::byte> bytes;
  bool chunk_aligned = false;  // anonymous and aligned like V8's chunks: objects may be here
  bool read_only = false;      // not writable by the target: V8's constants, shared by isolates
};

struct HeapImage {
  std::map<std::string, std::int32_t, std::less<>>
      layout;                          // "class_Map__…" → value; v8dbg_ cut off
  std::vector<HeapRegion> regions;     // ascending, disjoint
  std::shared_ptr<const void> memory;  // what the spans point into
  std::uint64_t copied_bytes = 0;      // resident bytes that were read
  std::uint64_t pause_ns = 0;          // how long the threads were held
  std::uint64_t ts_ns = 0;             // CLOCK_MONOTONIC, in the pause
};

// A file that holds one image: for bug reports, tests and fuzzing. Its format stands in
// docs/heap_image.md.
Result<void> write_heap_image(const HeapImage& image, const std::string& path);
Result<HeapImage> read_heap_image(const std::string& path);

}  // namespace ebbtide
