#include "analysis/review/loaded_files.h"

#include <algorithm>
#include <iterator>
#include <unordered_set>

#include "analysis/review/parse.h"
#include "analysis/review/scopes.h"

namespace ebbtide {
namespace {

using enum SyntaxKind;

// A module that only the running program can name.
bool loads_unnamed(const Ast& ast, NodeId call) {
  const std::string_view callee = ast.text(ast.child(call, Field::function));
  if (callee != "require" && callee != "import") return false;
  const NodeId named = argument(ast, call, 0);
  return named != 0 && string_value(ast, named).empty();
}

}  // namespace

std::optional<std::vector<SourceFile>> loaded_files(const std::vector<SourceFile>& files,
                                                    const std::vector<PathMapping>& mappings,
                                                    std::string_view entry) {
  const Parsed parsed = parse_sources(files);
  const Ast& ast = parsed.ast;
  const Scopes scopes(ast);
  const Modules modules(ast, scopes, mappings);
  const auto begin = std::ranges::find(ast.files(), entry, &AstFile::path);
  if (begin == ast.files().end()) return std::nullopt;
  std::vector<NodeId> open{begin->root};
  std::unordered_set<NodeId> reached{begin->root};
  while (!open.empty()) {
    const NodeId program = open.back();
    open.pop_back();
    for (NodeId node = program + 1; node < ast.end(program); ++node) {
      if (!ast.is_any(node, import_statement, export_statement, call_expression)) continue;
      if (ast.is(node, call_expression) && loads_unnamed(ast, node)) return std::nullopt;
      const NodeId file = modules.loaded_by(node);
      if (file != 0 && reached.insert(file).second) open.push_back(file);
    }
  }
  std::unordered_set<std::string_view> paths;
  for (const AstFile& file : ast.files()) {
    if (reached.contains(file.root)) paths.insert(file.path);
  }
  std::vector<SourceFile> loaded;
  std::ranges::copy_if(files, std::back_inserter(loaded),
                       [&](const SourceFile& file) { return paths.contains(file.path); });
  return loaded;
}

}  // namespace ebbtide
