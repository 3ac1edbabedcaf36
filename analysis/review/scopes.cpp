#include "analysis/review/scopes.h"

#include <fmt/format.h>

#include <utility>

namespace ebbtide {
namespace {

using enum SyntaxKind;

bool names_something(const Ast& ast, NodeId node) {
  return ast.is_any(node, identifier, shorthand_property_identifier, type_identifier,
                    shorthand_property_identifier_pattern);
}

// Where let, const, class and function declarations are seen; `var` goes up to the function.
NodeId scope_around(const Ast& ast, NodeId node, bool function_wide) {
  for (NodeId at = ast.parent(node); at != 0; at = ast.parent(at)) {
    if (is_function(ast, at) || ast.is(at, program)) return at;
    const bool block = ast.is_any(at, statement_block, for_statement, for_in_statement,
                                  catch_clause, switch_body, class_static_block);
    if (block && !function_wide) return at;
  }
  return 0;
}

}  // namespace

Scopes::Scopes(const Ast& ast) : ast_(ast), resolved_(ast.size()) {
  declare_all();
  resolve_all();
  note_assignments();
}

NodeId Scopes::declaration_of(NodeId name) const { return resolved_[name]; }

const Binding& Scopes::binding(NodeId declaration) const {
  static const Binding none;
  const auto found = bindings_.find(declaration);
  return found == bindings_.end() ? none : found->second;
}

void Scopes::declare_all() {
  for (NodeId node = 1; node < ast_.size(); node++) {
    if (is_function(ast_, node)) {
      declare_function(node);
    } else if (ast_.is(node, variable_declarator)) {
      declare_variable(node);
    } else if (ast_.is_any(node, class_declaration, abstract_class_declaration)) {
      declare(ast_.child(node, Field::name), {.kind = BindingKind::type_or_class,
                                              .scope = scope_around(ast_, node, false),
                                              .value = node});
    } else if (ast_.is(node, import_statement)) {
      declare_import(node);
    } else if (ast_.is(node, for_in_statement)) {
      declare_pattern(
          ast_.child(node, Field::left),
          {.kind = BindingKind::loop, .scope = node, .value = ast_.child(node, Field::right)});
    } else if (ast_.is(node, catch_clause)) {
      declare_pattern(ast_.child(node, Field::parameter),
                      {.kind = BindingKind::caught, .scope = node});
    }
  }
}

void Scopes::declare_function(NodeId function) {
  for (const NodeId parameter : parameters_of(ast_, function))
    declare_pattern(parameter, {.kind = BindingKind::parameter, .scope = function});
  const NodeId name = ast_.child(function, Field::name);
  if (name == 0 || ast_.is(function, method_definition)) return;
  const bool statement =
      ast_.is_any(function, function_declaration, generator_function_declaration);
  declare(name, {.kind = BindingKind::function,
                 .scope = statement ? scope_around(ast_, function, false) : function,
                 .value = function});
}

void Scopes::declare_import(NodeId statement) {
  NodeId root = statement;
  while (ast_.parent(root) != 0) root = ast_.parent(root);
  walk(ast_, statement, [&](NodeId node) {
    const bool name = ast_.is(node, identifier);
    const NodeId specifier = ast_.parent(node);
    const bool renamed = name && ast_.is(specifier, import_specifier) &&
                         ast_.child(specifier, Field::alias) != 0 &&
                         ast_.child(specifier, Field::alias) != node;
    if (name && !renamed)
      declare(node, {.kind = BindingKind::import, .scope = root, .value = statement});
    return true;
  });
}

void Scopes::declare_variable(NodeId declarator) {
  const bool function_wide = ast_.is(ast_.parent(declarator), variable_declaration);
  declare_pattern(ast_.child(declarator, Field::name),
                  {.kind = BindingKind::variable,
                   .scope = scope_around(ast_, declarator, function_wide),
                   .value = ast_.child(declarator, Field::value)});
}

bool Scopes::is_var(NodeId name) const {
  return ast_.is(ast_.parent(ast_.parent(name)), variable_declaration);
}

// Every name in the pattern, with the way that leads to it inside the value.
void Scopes::declare_pattern(NodeId pattern, const Binding& binding) {
  std::vector<std::pair<NodeId, std::string>> open{{pattern, ""}};
  while (!open.empty()) {
    auto [at, path] = std::move(open.back());
    open.pop_back();
    if (path.size() > 200) continue;  // destructuring nested beyond reason
    if (names_something(ast_, at)) {
      Binding one = binding;
      one.path = ast_.is(at, shorthand_property_identifier_pattern)
                     ? path + "." + std::string(ast_.text(at))
                     : path;
      declare(at, std::move(one));
    } else if (ast_.is_any(at, assignment_pattern, object_assignment_pattern)) {
      open.emplace_back(ast_.child(at, Field::left), path);
    } else if (ast_.is(at, pair_pattern)) {
      const std::string key(ast_.text(ast_.child(at, Field::key)));
      open.emplace_back(ast_.child(at, Field::value), path + "." + key);
    } else if (ast_.is_any(at, object_pattern, rest_pattern)) {
      for (const NodeId part : ast_.children(at)) open.emplace_back(part, path);
    } else if (ast_.is(at, array_pattern)) {
      // Holes leave no node, so the place is told by the commas before the part.
      for (const NodeId part : ast_.children(at)) {
        const std::uint32_t from = ast_[at].start_byte;
        const std::string_view before = ast_.text(at).substr(0, ast_[part].start_byte - from);
        std::size_t commas = 0;
        int depth = 0;
        for (const char c : before.substr(0, 1000)) {
          depth += c == '[' || c == '{' ? 1 : c == ']' || c == '}' ? -1 : 0;
          if (c == ',' && depth == 1) commas++;
        }
        open.emplace_back(part, fmt::format("{}[{}]", path, commas));
      }
    }
  }
}

void Scopes::declare(NodeId name, Binding binding) {
  if (name == 0) return;
  const bool plain = binding.kind == BindingKind::variable && binding.path.empty();
  if (plain && is_var(name)) {  // a second `var x` of a function is the first one again
    const auto [first, fresh] = vars_[binding.scope].try_emplace(ast_.text(name), name);
    if (!fresh) {
      if (binding.value != 0) bindings_.at(first->second).assigned.push_back(binding.value);
      return;
    }
  }
  declared_in_[binding.scope].push_back(name);
  bindings_.emplace(name, std::move(binding));
}

// One pass in reading order; for each name the declarations now in sight, innermost last.
void Scopes::resolve_all() {
  std::unordered_map<std::string_view, std::vector<NodeId>> in_sight;
  std::vector<NodeId> open;
  const auto leave = [&](NodeId scope) {
    for (const NodeId name : declared_in_.at(scope)) in_sight[ast_.text(name)].pop_back();
  };
  for (NodeId node = 1; node < ast_.size(); node++) {
    while (!open.empty() && node >= ast_.end(open.back())) {
      leave(open.back());
      open.pop_back();
    }
    if (const auto names = declared_in_.find(node); names != declared_in_.end()) {
      for (const NodeId name : names->second) in_sight[ast_.text(name)].push_back(name);
      open.push_back(node);
    }
    if (!names_something(ast_, node)) continue;
    const auto found = in_sight.find(ast_.text(node));
    if (found != in_sight.end() && !found->second.empty()) resolved_[node] = found->second.back();
  }
  for (const auto& [name, binding] : bindings_) resolved_[name] = name;
}

void Scopes::note_assignments() {
  for (NodeId node = 1; node < ast_.size(); node++) {
    if (!ast_.is_any(node, assignment_expression, augmented_assignment_expression)) continue;
    const NodeId left = ast_.child(node, Field::left);
    const auto found = bindings_.find(ast_.is(left, identifier) ? resolved_[left] : 0);
    if (found != bindings_.end()) found->second.assigned.push_back(ast_.child(node, Field::right));
  }
}

}  // namespace ebbtide
