// Any bytes as a source file, or as two that import each other: the review must end, and what it
// says must be writable.
#include <cstddef>
#include <cstdint>
#include <string>

#include "analysis/report/review_sarif.h"
#include "analysis/report/review_text.h"
#include "analysis/review/review.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* bytes, std::size_t size) {
  using namespace ebbtide;
  const std::string text(reinterpret_cast<const char*>(bytes), size);
  const auto cut = text.find("//---");
  std::vector<SourceFile> files;
  if (cut == std::string::npos) {
    files = {{size % 3 == 0 ? "a.tsx" : size % 3 == 1 ? "a.ts" : "a.js", text}};
  } else {
    files = {{"a.js", text.substr(0, cut)}, {"b.ts", text.substr(cut)}};
  }
  const Review review = review_files(files);
  if (review_text(review).empty() || review_sarif(review, "0").empty()) __builtin_trap();
  return 0;
}
