// Answers: which collections does the source itself keep below a size? A cache that is not full yet
// grows like a leak; what tells them apart stands in the code.
#pragma once

#include <vector>

#include "analysis/review/rule_context.h"

namespace ebbtide {

// Collections from which something is removed where their size is found to be too large:
// `if (cache.size > limit) cache.delete(oldest)`, `while (ring.length > 1000) ring.shift()`; and
// caches of packages that do so by themselves: `new LRUCache({ max: 500 })`.
std::vector<SizeBound> find_size_bounds(const ReviewSubject& subject, const RuleFindings& spots);

}  // namespace ebbtide
