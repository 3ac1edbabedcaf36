// Answers: which objects does a .heapsnapshot file hold? The format that DevTools, --heapsnapshot-
// signal and v8.writeHeapSnapshot() write; the fields' order is read from the file's own meta.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "analysis/heap/graph.h"
#include "recording/result.h"

namespace ebbtide {

struct Snapshot {
  HeapGraph graph;
  std::uint64_t max_id = 0;  // of its heap objects: later objects of the session have larger ones
};

// `earlier_max_ids`: of the session's snapshots before this one, ascending; when there are any,
// each node's `birth` is the number of them that are below its id. Errors say what is wrong with
// the file and at which byte: not JSON, no snapshot, truncated, a reference out of range.
Result<Snapshot> read_snapshot(const std::string& path,
                               std::span<const std::uint64_t> earlier_max_ids = {});

}  // namespace ebbtide
