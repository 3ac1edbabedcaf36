// Answers: which source file is a script that the process runs? The two are named by whoever loaded
// them: a path inside a container, a file: URL, what a source map says.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "analysis/review/ast.h"
#include "analysis/review/review.h"
#include "recording/run.h"

namespace ebbtide {

class ScriptFiles {
 public:
  // `files` outlives this.
  explicit ScriptFiles(const std::vector<SourceFile>& files) : files_(files) {}

  // The file at that place on disk; else the one whose last path components agree with the script's
  // in the greatest number, when it is the only one and they agree in the file's name at least.
  // nullptr when there is none.
  [[nodiscard]] const SourceFile* file_of(std::string_view script) const;

  // Whether the place in the running code lies on the first line of `spot`, within it.
  [[nodiscard]] bool is_at(const CodePosition& position, const SourceSpot& spot) const;

 private:
  const std::vector<SourceFile>& files_;
};

}  // namespace ebbtide
