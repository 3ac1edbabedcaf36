#include "analysis/review/configuration.h"

#include <fmt/format.h>

#include "analysis/review/words.h"

namespace ebbtide {
namespace {

using enum SyntaxKind;

// A name of the file's top level that is given its value once, from the environment, the command
// line, a setting or a literal; or the environment itself.
bool is_setting(const Ast& ast, const Scopes& scopes, NodeId name) {
  const NodeId declaration = scopes.declaration_of(name);
  if (declaration == 0) return one_of(ast.text(name), {"process", "Bun", "Deno", "import"});
  const Binding& binding = scopes.binding(declaration);
  if (!ast.is(binding.scope, program) || !binding.assigned.empty()) return false;
  const std::string_view value = ast.text(binding.value);
  const NodeId plain = unwrapped(ast, binding.value);
  const bool literal = ast.is_any(plain, true_, false_, string, number);
  const bool told = value.find("process.env") != std::string_view::npos ||
                    value.find("process.argv") != std::string_view::npos ||
                    value.find(".argv") != std::string_view::npos ||
                    value.find("config") != std::string_view::npos;
  return binding.kind == BindingKind::variable && (literal || told);
}

// Nothing but settings, literals and operators; at least one setting.
bool asks_for_settings(const Ast& ast, const Scopes& scopes, NodeId condition) {
  bool settings = false, other = false;
  const auto look = [&](NodeId node) {
    if (ast.is_any(node, call_expression, new_expression, this_, assignment_expression))
      other = true;
    if (ast.is_any(node, identifier, shorthand_property_identifier))
      (is_setting(ast, scopes, node) ? settings : other) = true;
    return !other;
  };
  if (look(condition)) walk(ast, condition, look);
  return settings && !other;
}

std::string brief_setting(const Ast& ast, NodeId expression) {
  std::string text = brief(ast, expression);
  if (text.starts_with("process.env.")) text.erase(0, 12);
  return text;
}

std::string told(const Ast& ast, NodeId condition, bool holds) {
  NodeId plain = unwrapped(ast, condition);
  if (ast.is(plain, unary_expression) && ast.text(ast.child(plain, Field::operator_)) == "!") {
    plain = unwrapped(ast, ast.child(plain, Field::argument));
    holds = !holds;
  }
  const bool name = ast.is_any(plain, identifier, member_expression, subscript_expression);
  if (name) return fmt::format("{} is {}set", brief_setting(ast, plain), holds ? "" : "not ");
  return holds ? brief_setting(ast, plain) : fmt::format("not ({})", brief_setting(ast, plain));
}

bool leaves(const Ast& ast, NodeId statement) {
  if (ast.is(statement, statement_block)) {
    const auto inside = ast.children(statement);
    statement = inside.empty() ? 0 : inside.back();
  }
  return ast.is_any(statement, return_statement, throw_statement);
}

}  // namespace

std::string configuration_of(const Ast& ast, const Scopes& scopes, NodeId node) {
  for (NodeId at = node; at != 0; at = ast.parent(at)) {
    const NodeId around = ast.parent(at);
    if (ast.is_any(around, if_statement, ternary_expression) && ast[at].field != Field::condition) {
      const NodeId condition = ast.child(around, Field::condition);
      if (asks_for_settings(ast, scopes, condition))
        return told(ast, condition, ast[at].field == Field::consequence);
    }
    if (ast.is(around, binary_expression) && ast[at].field == Field::right &&
        ast.text(ast.child(around, Field::operator_)) == "&&") {
      const NodeId condition = ast.child(around, Field::left);
      if (asks_for_settings(ast, scopes, condition)) return told(ast, condition, true);
    }
    if (!ast.is(around, statement_block)) continue;
    for (NodeId before = ast.first_child(around); before != 0 && before < at;
         before = ast.next_sibling(before)) {
      const NodeId condition = ast.child(before, Field::condition);
      if (ast.is(before, if_statement) && leaves(ast, ast.child(before, Field::consequence)) &&
          asks_for_settings(ast, scopes, condition))
        return told(ast, condition, false);
    }
  }
  return "";
}

}  // namespace ebbtide
