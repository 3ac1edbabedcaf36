// Answers: what is the syntax tree of these sources? The only place that knows tree-sitter.
#pragma once

#include <string>
#include <vector>

#include "analysis/review/ast.h"
#include "recording/source_file.h"

namespace ebbtide {

struct Parsed {
  Ast ast;
  std::vector<std::string> failed;  // paths the parser gave up on; their files have no nodes
};

// `files` must outlive the result.
Parsed parse_sources(const std::vector<SourceFile>& files);

}  // namespace ebbtide
