// Answers: what does a name that a file imports stand for in the file it comes from? Relative
// paths, index files, tsconfig `paths` and `baseUrl` are followed; packages are only known by name.
#pragma once

#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>
#include <utility>
#include <vector>

#include "analysis/review/ast.h"
#include "analysis/review/scopes.h"
#include "recording/source_file.h"

namespace ebbtide {

// `paths` and `baseUrl` of a tsconfig.json, made relative to where the review began.
struct PathMapping {
  std::string base;                                       // directory; "" for the top
  std::map<std::string, std::vector<std::string>> paths;  // pattern to targets, "@/*" to "src/*"
};

// Of a tsconfig.json or jsconfig.json at `path`; nullopt when it says nothing of paths. Comments
// and trailing commas are accepted, as TypeScript does.
std::optional<PathMapping> read_path_mapping(std::string_view path, std::string_view text);

// Whether a file of that path is read for its mapping, and not as a source.
bool is_path_config(std::string_view path);

// The two kinds of files of a tree, apart.
std::vector<SourceFile> sources_in(const std::vector<SourceFile>& tree);
std::vector<PathMapping> path_mappings_in(const std::vector<SourceFile>& tree);

// What an imported name stands for.
struct ImportTarget {
  NodeId node = 0;      // an expression, a declared name, or a whole file (its `program` node)
  std::string package;  // "ws", "node:net" as "net": when it is not one of the files read
  std::string member;   // "WebSocketServer", "default", "*" for the whole package
};

class Modules {
 public:
  Modules(const Ast& ast, const Scopes& scopes, const std::vector<PathMapping>& mappings);

  // Of a name bound by an import statement.
  [[nodiscard]] ImportTarget imported(NodeId declaration) const;
  // The file that an import or export statement, or a call of require or import, loads; 0 when it
  // loads none of those read.
  [[nodiscard]] NodeId loaded_by(NodeId node) const;
  // Of `require("…")` or `import("…")`: the whole module.
  [[nodiscard]] ImportTarget required(NodeId call) const;
  // What a file exports under that name; "default" also finds `module.exports`. 0 when nothing.
  [[nodiscard]] NodeId exported(NodeId program, std::string_view name) const;

  // Packages that a file imports, "node:" left out.
  [[nodiscard]] bool imports_package(NodeId program, std::string_view package) const;

 private:
  struct Exports {
    std::unordered_map<std::string_view, NodeId> names;
    std::vector<NodeId> all_of;  // `export * from`: files
    std::vector<std::string> packages;
  };

  void note_export(NodeId statement);
  void note_commonjs(NodeId assignment);
  void note_package(NodeId node);
  [[nodiscard]] ImportTarget resolve(NodeId from, std::string_view specifier) const;
  [[nodiscard]] ImportTarget look_up(NodeId from, std::string_view specifier) const;
  [[nodiscard]] NodeId file_at(const std::string& path) const;
  [[nodiscard]] NodeId root_of(NodeId node) const;

  const Ast& ast_;
  const Scopes& scopes_;
  const std::vector<PathMapping>& mappings_;
  std::unordered_map<std::string, NodeId> roots_;  // path to program
  std::unordered_map<NodeId, Exports> exports_;
  using Request = std::pair<std::uint32_t, std::string_view>;  // a file and what it asks for
  mutable std::map<Request, ImportTarget> resolved_;           // asked for again and again
};

}  // namespace ebbtide
