// Answers: which causes of a leak did a second run find again, which not, and which are new?
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "analysis/causes/causes.h"
#include "analysis/compare/paired_figure.h"

namespace ebbtide {

struct ComparedCause {
  enum class Evidence : std::uint8_t { heap, review };
  Evidence evidence = Evidence::heap;
  std::string subject;    // a retainer path, or a rule's finding with its place; hostile
  bool user_code = true;  // false: in the runtime's or a package's own code
  std::optional<double> before = {};  // heap: bytes retained per connection; none: not found
  std::optional<double> after = {};
  PairedFigure objects = {};  // heap: objects per connection, 0 where the path was not found
  Change change = Change::not_comparable;
  std::string reason = {};  // a sentence part
};

// Heap causes that keep growing are matched by the path's id, else by its names where lines have
// moved; findings of the review by fingerprint. Remarks (severity info) are left out.
std::vector<ComparedCause> compare_causes(const Causes& before, const Causes& after);

}  // namespace ebbtide
