#include "analysis/review/modules.h"

#include <algorithm>
#include <filesystem>

namespace ebbtide {
namespace {

using enum SyntaxKind;

std::string normal(const std::filesystem::path& path) {
  std::string text = path.lexically_normal().generic_string();
  while (text.starts_with("./")) text.erase(0, 2);
  return text == "." ? "" : text;
}

bool is_module_exports(const Ast& ast, NodeId node) {
  return member_name(ast, node) == "exports" && ast.text(member_object(ast, node)) == "module";
}

// "@/*" against "@/rooms/hub" is "rooms/hub"; a pattern without a star must be equal.
std::optional<std::string> match(std::string_view pattern, std::string_view specifier) {
  const auto star = pattern.find('*');
  if (star == std::string_view::npos)
    return pattern == specifier ? std::optional<std::string>("") : std::nullopt;
  const std::string_view head = pattern.substr(0, star), tail = pattern.substr(star + 1);
  if (specifier.size() < head.size() + tail.size() || !specifier.starts_with(head) ||
      !specifier.ends_with(tail))
    return std::nullopt;
  return std::string(specifier.substr(head.size(), specifier.size() - head.size() - tail.size()));
}

// What an import or export statement, or a call of require or import, names; "" for other nodes.
std::string_view specifier_of(const Ast& ast, NodeId node) {
  if (ast.is(node, call_expression)) {
    const std::string_view callee = ast.text(ast.child(node, Field::function));
    return callee == "require" || callee == "import" ? string_value(ast, argument(ast, node, 0))
                                                     : "";
  }
  for (const NodeId part : ast.children(node)) {
    if (ast.is(part, import_require_clause))
      return string_value(ast, ast.child(part, Field::source));
  }
  return string_value(ast, ast.child(node, Field::source));
}

}  // namespace

Modules::Modules(const Ast& ast, const Scopes& scopes, const std::vector<PathMapping>& mappings)
    : ast_(ast), scopes_(scopes), mappings_(mappings) {
  for (const AstFile& file : ast.files()) roots_.emplace(normal(file.path), file.root);
  for (NodeId node = 1; node < ast.size(); node++) {
    if (ast.is(node, export_statement)) note_export(node);
    if (ast.is(node, assignment_expression)) note_commonjs(node);
    if (ast.is_any(node, import_statement, export_statement, call_expression)) note_package(node);
  }
}

NodeId Modules::root_of(NodeId node) const { return ast_.files()[ast_.file_of(node)].root; }

void Modules::note_export(NodeId statement) {
  Exports& exports = exports_[root_of(statement)];
  const NodeId source = ast_.child(statement, Field::source);
  if (const NodeId declaration = ast_.child(statement, Field::declaration)) {
    const bool by_default = ast_.text(statement).substr(0, 60).find("default") < 10;
    if (ast_.is_any(declaration, lexical_declaration, variable_declaration)) {
      for (const NodeId part : ast_.children(declaration)) {
        const NodeId name = ast_.child(part, Field::name);
        if (ast_.is(name, identifier)) exports.names[ast_.text(name)] = name;
      }
      return;
    }
    const NodeId name = ast_.child(declaration, Field::name);
    if (name != 0) exports.names[ast_.text(name)] = name;
    if (by_default) exports.names["default"] = name != 0 ? name : declaration;
    return;
  }
  if (const NodeId value = ast_.child(statement, Field::value)) exports.names["default"] = value;
  const ImportTarget from =
      source == 0 ? ImportTarget{} : resolve(statement, string_value(ast_, source));
  bool names_given = false;
  for (const NodeId clause : ast_.children(statement)) {
    if (!ast_.is(clause, export_clause)) continue;
    names_given = true;
    for (const NodeId specifier : ast_.children(clause)) {
      const NodeId name = ast_.child(specifier, Field::name);
      NodeId alias = ast_.child(specifier, Field::alias);
      if (alias == 0) alias = name;
      const NodeId target = source == 0 ? name : exported(from.node, ast_.text(name));
      if (target != 0) exports.names[ast_.text(alias)] = target;
    }
  }
  if (source != 0 && !names_given && from.node != 0) exports.all_of.push_back(from.node);
}

void Modules::note_commonjs(NodeId assignment) {
  const NodeId left = ast_.child(assignment, Field::left);
  const NodeId right = ast_.child(assignment, Field::right);
  if (is_module_exports(ast_, left)) {
    exports_[root_of(assignment)].names["default"] = right;
    return;
  }
  const NodeId object = member_object(ast_, left);
  const bool exports_name = ast_.is(object, identifier) && ast_.text(object) == "exports";
  if (exports_name || is_module_exports(ast_, object))
    exports_[root_of(assignment)].names[member_name(ast_, left)] = right;
}

void Modules::note_package(NodeId node) {
  const std::string_view specifier = specifier_of(ast_, node);
  if (specifier.empty()) return;
  ImportTarget target = resolve(node, specifier);
  if (!target.package.empty())
    exports_[root_of(node)].packages.push_back(std::move(target.package));
}

NodeId Modules::loaded_by(NodeId node) const {
  const std::string_view specifier = specifier_of(ast_, node);
  return specifier.empty() ? 0 : resolve(node, specifier).node;
}

bool Modules::imports_package(NodeId program, std::string_view package) const {
  const auto found = exports_.find(program);
  if (found == exports_.end()) return false;
  return std::find(found->second.packages.begin(), found->second.packages.end(), package) !=
         found->second.packages.end();
}

NodeId Modules::file_at(const std::string& path) const {
  static constexpr std::string_view endings[] = {"",     ".ts",  ".tsx", ".js", ".jsx",
                                                 ".mjs", ".cjs", ".mts", ".cts"};
  const auto look = [&](const std::string& stem) -> NodeId {
    for (const std::string_view ending : endings) {
      const auto found = roots_.find(normal(stem + std::string(ending)));
      if (found != roots_.end()) return found->second;
    }
    return 0;
  };
  if (const NodeId found = look(path)) return found;
  // TypeScript's ESM names the .js file that the .ts file will become.
  for (const std::string_view ending : {".js", ".jsx", ".mjs", ".cjs"}) {
    if (!path.ends_with(ending)) continue;
    if (const NodeId found = look(path.substr(0, path.size() - ending.size()))) return found;
  }
  return look(path + "/index");
}

ImportTarget Modules::resolve(NodeId from, std::string_view specifier) const {
  const auto [known, fresh] = resolved_.try_emplace({ast_.file_of(from), specifier});
  if (fresh) known->second = look_up(from, specifier);
  return known->second;
}

ImportTarget Modules::look_up(NodeId from, std::string_view specifier) const {
  if (specifier.starts_with(".")) {
    const std::filesystem::path directory =
        std::filesystem::path(ast_.files()[ast_.file_of(from)].path).parent_path();
    const NodeId file = file_at(normal(directory / specifier));
    return {file, file == 0 ? std::string(specifier) : "", "*"};
  }
  for (const PathMapping& mapping : mappings_) {
    for (const auto& [pattern, targets] : mapping.paths) {
      const auto rest = match(pattern, specifier);
      if (!rest) continue;
      for (std::string target : targets) {
        if (const auto star = target.find('*'); star != std::string::npos)
          target.replace(star, 1, *rest);
        if (const NodeId file = file_at(normal(std::filesystem::path(mapping.base) / target)))
          return {file, "", "*"};
      }
    }
    if (const NodeId file = file_at(normal(std::filesystem::path(mapping.base) / specifier)))
      return {file, "", "*"};
  }
  const bool builtin = specifier.starts_with("node:");
  return {0, std::string(builtin ? specifier.substr(5) : specifier), "*"};
}

NodeId Modules::exported(NodeId program, std::string_view name) const {
  std::vector<NodeId> open{program}, seen;
  while (!open.empty() && seen.size() < 50) {
    const NodeId file = open.back();
    open.pop_back();
    if (std::find(seen.begin(), seen.end(), file) != seen.end()) continue;
    seen.push_back(file);
    const auto found = exports_.find(file);
    if (found == exports_.end()) continue;
    const auto at = found->second.names.find(name);
    if (at != found->second.names.end()) return at->second;
    open.insert(open.end(), found->second.all_of.begin(), found->second.all_of.end());
  }
  return 0;
}

ImportTarget Modules::imported(NodeId declaration) const {
  const NodeId statement = scopes_.binding(declaration).value;
  NodeId source = ast_.child(statement, Field::source);
  const NodeId parent = ast_.parent(declaration);
  if (ast_.is(parent, import_require_clause)) source = ast_.child(parent, Field::source);
  ImportTarget target = resolve(statement, string_value(ast_, source));
  target.member = "default";
  if (ast_.is_any(parent, namespace_import, import_require_clause)) target.member = "*";
  if (ast_.is(parent, import_specifier))
    target.member = std::string(ast_.text(ast_.child(parent, Field::name)));
  if (target.node == 0 || target.member == "*") return target;
  const NodeId program = target.node;
  target.node = exported(program, target.member);
  // `import hub from "./hub"` of a CommonJS file without module.exports is the file as a whole.
  if (target.node == 0 && target.member == "default") target.node = program;
  if (target.node == 0) {  // `import { f } from` a file with `module.exports = { f }`
    const NodeId whole = exported(program, "default");
    for (const NodeId part : ast_.children(unwrapped(ast_, whole))) {
      const bool same_pair =
          ast_.is(part, pair) && ast_.text(ast_.child(part, Field::key)) == target.member;
      const bool same_name =
          ast_.is(part, shorthand_property_identifier) && ast_.text(part) == target.member;
      if (same_pair) target.node = ast_.child(part, Field::value);
      if (same_name) target.node = part;
    }
  }
  return target;
}

ImportTarget Modules::required(NodeId call) const {
  const std::string_view specifier = string_value(ast_, argument(ast_, call, 0));
  return specifier.empty() ? ImportTarget{} : resolve(call, specifier);
}

}  // namespace ebbtide
