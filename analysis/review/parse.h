// Answers: what is the syntax tree of these sources? The only place that knows tree-sitter.
#pragma once

#include <string>
#include <vector>

#include "analysis/review/ast.h"

namespace ebbtide {

// One file as it lies on disk. The path, relative to where the review began, decides the language
// by its ending: .js .cjs .mjs .jsx, .ts .cts .mts, .tsx.
struct SourceFile {
  std::string path;
  std::string text;
};

struct Parsed {
  Ast ast;
  std::vector<std::string> failed;  // paths the parser gave up on; their files have no nodes
};

// `files` must outlive the result.
Parsed parse_sources(const std::vector<SourceFile>& files);

}  // namespace ebbtide
