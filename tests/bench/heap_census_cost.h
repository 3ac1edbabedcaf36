// Answers: what does looking into a heap cost its process, and us, beside the snapshot that the
// process would write of itself?
#pragma once

#include <string>

#include "tests/bench/table.h"

namespace ebbtide {

// Heaps of about 100 and 500 MB in the Node of tests/packages; snapshots go to `directory`.
Result<Rows> measure_heap_census(const std::string& directory);

}  // namespace ebbtide
