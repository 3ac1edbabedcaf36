// Answers: how long does it take to count the blocks of a process's malloc?
#pragma once

#include "tests/bench/table.h"

namespace ebbtide {

// 100 MB of arenas, in blocks of 88 B and of 10 KB.
Result<Rows> measure_malloc_census();

}  // namespace ebbtide
