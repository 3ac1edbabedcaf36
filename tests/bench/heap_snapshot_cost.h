// Answers: what does it take to find in a row of heap snapshots what grows, and what does memlab
// take for the same files?
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "tests/bench/table.h"

namespace ebbtide {

struct SnapshotComparison {
  // Records of heap/growing-heap.js, a kilobyte of snapshot each. 850,000 make files of 909 MB,
  // for which Node alone takes minutes.
  std::vector<std::uint64_t> records = {38'500, 190'000};
  // Is run with the three files behind it.
  std::vector<std::string> command;
};

// Makes the snapshots in `directory`; what it measured goes again, a set at a time.
Result<Rows> measure_heap_snapshots(const std::string& directory,
                                    const SnapshotComparison& comparison);

}  // namespace ebbtide
