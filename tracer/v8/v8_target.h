// Answers: is this process a V8 runtime, which, and where in which file are the functions whose
// calls show its garbage collections? Everything is read from its files; nothing of it is run.
#pragma once

#include <sys/types.h>

#include <cstdint>
#include <optional>
#include <string>

#include "recording/result.h"

namespace ebbtide {

// File offsets for uprobes. The prologue and the epilogue run once per GC; between the two, what
// committed_memory returns is the heap's total and what size_of_objects returns its used bytes.
struct GcSites {
  std::uint64_t prologue = 0;          // v8::internal::Heap::GarbageCollectionPrologue
  std::uint64_t epilogue = 0;          // v8::internal::Heap::GarbageCollectionEpilogue
  std::uint64_t committed_memory = 0;  // v8::internal::Heap::CommittedMemory
  std::uint64_t size_of_objects = 0;   // v8::internal::Heap::SizeOfObjects
};

struct V8Target {
  std::string file;       // holds V8; opens from here, container or not, while the process lives
  std::string file_name;  // the same as the process sees it, for reports: hostile text
  std::string runtime;    // "node"; "" when it is some other embedder of V8
  std::string version;    // "v20.20.2"; "" when unknown
  std::optional<GcSites> gc_sites;
  std::string gc_sites_missing;  // why there are none; "" when there are
};

// nullopt: no V8 that its symbols would show (bun, a stripped deno, anything else). Error: the
// process cannot be looked at.
Result<std::optional<V8Target>> find_v8(pid_t pid);

// The same for one file, opened through `path`.
Result<std::optional<V8Target>> inspect_v8_file(const std::string& path);

}  // namespace ebbtide
