// Answers: which source files lie below these paths, and which were left aside, each with why?
// Reads the disk for the code review, which itself reads nothing.
#pragma once

#include <string>
#include <vector>

#include "analysis/review/review.h"
#include "recording/result.h"

namespace ebbtide {

struct SourceTree {
  std::vector<SourceFile> files;  // paths as they are reached from the ones named
  std::vector<UnreadSource> unread;
};

// JavaScript or TypeScript by its name; declarations (.d.ts) are none.
bool is_source_file(const std::string& name);

// Sources and tsconfig.json files. Every path must exist. node_modules, hidden directories and what
// is no JavaScript or TypeScript are passed over in silence; whatever else is not read has a line
// in `unread`.
Result<SourceTree> read_source_tree(const std::vector<std::string>& paths);

}  // namespace ebbtide
