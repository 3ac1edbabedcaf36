// Answers: how are looks into JavaScript heaps told on a terminal? The answer in the first line,
// then what it stands on; whatever the heap holds is text that cannot act, cut to the width.
#pragma once

#include <cstddef>
#include <string>

#include "analysis/heap/growth.h"
#include "recording/run.h"

namespace ebbtide {

struct HeapTextOptions {
  std::size_t width = 100;
  std::string step = "connection";  // what growth is counted per: "connection", "snapshot"
};

// One look: sums, the biggest classes, the paths that retain most.
std::string census_text(const Recording& recording, const HeapTextOptions& options);

// Several looks, in the order of their cycles: causes, and the classes that grow.
std::string comparison_text(const Recording& recording, const HeapFindings& findings,
                            const HeapTextOptions& options);

}  // namespace ebbtide
