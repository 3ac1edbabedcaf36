#include "analysis/review/ast.h"

#include <algorithm>

namespace ebbtide {

std::string_view Ast::text(NodeId node) const {
  if (node == 0) return {};
  const AstNode& n = nodes_[node];
  return files_[file_of(node)].text.substr(n.start_byte, n.end_byte - n.start_byte);
}

NodeId Ast::next_sibling(NodeId node) const {
  const NodeId next = nodes_[node].end;
  return next != 0 && next < nodes_[nodes_[node].parent].end ? next : 0;
}

NodeId Ast::child(NodeId node, Field field) const {
  for (NodeId at = first_child(node); at != 0; at = next_sibling(at)) {
    if (nodes_[at].field == field) return at;
  }
  return 0;
}

std::vector<NodeId> Ast::children(NodeId node) const {
  std::vector<NodeId> all;
  for (NodeId at = first_child(node); at != 0; at = next_sibling(at)) all.push_back(at);
  return all;
}

bool Ast::has_keyword(NodeId node, std::string_view word) const {
  for (NodeId at = first_child(node); at != 0; at = next_sibling(at)) {
    const bool word_kind = is_any(at, SyntaxKind::keyword, SyntaxKind::operator_);
    if (word_kind && text(at) == word) return true;
  }
  return false;
}

std::uint32_t Ast::file_of(NodeId node) const {
  const auto after =
      std::upper_bound(files_.begin(), files_.end(), node,
                       [](NodeId value, const AstFile& file) { return value < file.root; });
  return after == files_.begin() ? 0 : static_cast<std::uint32_t>(after - files_.begin() - 1);
}

SourceRange Ast::range(NodeId node) const {
  if (node == 0) return {};
  const SourceLines& lines = files_[file_of(node)].lines;
  const auto start = lines.position(nodes_[node].start_byte);
  const auto end = lines.position(nodes_[node].end_byte);
  return {start.line, start.column, end.line, end.column};
}

std::uint32_t Ast::line(NodeId node) const {
  return node == 0 ? 0 : files_[file_of(node)].lines.line(nodes_[node].start_byte);
}

bool is_function(const Ast& ast, NodeId node) {
  using enum SyntaxKind;
  return ast.is_any(node, function_declaration, generator_function_declaration, function_expression,
                    generator_function, arrow_function, method_definition);
}

bool is_class(const Ast& ast, NodeId node) {
  using enum SyntaxKind;
  return ast.is_any(node, class_declaration, abstract_class_declaration, class_expression);
}

NodeId function_above(const Ast& ast, NodeId node) {
  for (NodeId at = ast.parent(node); at != 0; at = ast.parent(at)) {
    if (is_function(ast, at)) return at;
  }
  return 0;
}

NodeId class_above(const Ast& ast, NodeId node) {
  for (NodeId at = ast.parent(node); at != 0; at = ast.parent(at)) {
    if (is_class(ast, at)) return at;
  }
  return 0;
}

bool is_async(const Ast& ast, NodeId function) { return ast.has_keyword(function, "async"); }

NodeId unwrapped(const Ast& ast, NodeId expression) {
  using enum SyntaxKind;
  for (;;) {
    if (ast.is(expression, type_assertion)) {
      const auto parts = ast.children(expression);
      if (parts.empty()) return expression;
      expression = parts.back();
    } else if (ast.is_any(expression, parenthesized_expression, as_expression, satisfies_expression,
                          non_null_expression, await_expression)) {
      NodeId inner = ast.first_child(expression);
      while (ast.is(inner, keyword)) inner = ast.next_sibling(inner);
      if (inner == 0) return expression;
      expression = inner;
    } else {
      return expression;
    }
  }
}

std::string_view string_value(const Ast& ast, NodeId node) {
  node = unwrapped(ast, node);
  const bool plain_template =
      ast.is(node, SyntaxKind::template_string) && ast.first_child(node) == 0;
  if (!ast.is(node, SyntaxKind::string) && !plain_template) return {};
  const std::string_view quoted = ast.text(node);
  return quoted.size() < 2 ? std::string_view() : quoted.substr(1, quoted.size() - 2);
}

std::vector<NodeId> arguments_of(const Ast& ast, NodeId call) {
  const NodeId list = ast.child(call, Field::arguments);
  return ast.is(list, SyntaxKind::arguments) ? ast.children(list) : std::vector<NodeId>();
}

NodeId argument(const Ast& ast, NodeId call, std::size_t index) {
  const NodeId list = ast.child(call, Field::arguments);
  if (!ast.is(list, SyntaxKind::arguments)) return 0;
  NodeId at = ast.first_child(list);
  for (std::size_t skipped = 0; at != 0 && skipped < index; skipped++) at = ast.next_sibling(at);
  return at;
}

std::vector<NodeId> parameters_of(const Ast& ast, NodeId function) {
  using enum SyntaxKind;
  if (const NodeId single = ast.child(function, Field::parameter)) return {single};
  std::vector<NodeId> found;
  const NodeId list = ast.child(function, Field::parameters);
  for (NodeId at = ast.first_child(list); at != 0; at = ast.next_sibling(at)) {
    NodeId pattern = at;
    if (ast.is_any(at, required_parameter, optional_parameter))
      pattern = ast.child(at, Field::pattern);
    if (ast.is(pattern, assignment_pattern)) pattern = ast.child(pattern, Field::left);
    if (!ast.is(pattern, this_)) found.push_back(pattern);  // TypeScript's `this: Type`
  }
  return found;
}

std::string_view member_name(const Ast& ast, NodeId expression) {
  expression = unwrapped(ast, expression);
  if (ast.is(expression, SyntaxKind::member_expression))
    return ast.text(ast.child(expression, Field::property));
  if (!ast.is(expression, SyntaxKind::subscript_expression)) return {};
  const NodeId index = ast.child(expression, Field::index);
  if (const std::string_view literal = string_value(ast, index); !literal.empty()) return literal;
  const std::string_view symbol = ast.text(index);
  return symbol.starts_with("Symbol.") ? symbol : std::string_view();
}

NodeId member_object(const Ast& ast, NodeId expression) {
  expression = unwrapped(ast, expression);
  return member_name(ast, expression).empty() ? 0 : ast.child(expression, Field::object);
}

Callee callee_of(const Ast& ast, NodeId call) {
  const bool is_new = ast.is(call, SyntaxKind::new_expression);
  const NodeId callee =
      unwrapped(ast, ast.child(call, is_new ? Field::constructor : Field::function));
  if (ast.is(callee, SyntaxKind::identifier)) return {callee, 0, ast.text(callee)};
  return {callee, member_object(ast, callee), member_name(ast, callee)};
}

std::string brief(const Ast& ast, NodeId node, std::size_t most) {
  std::string out;
  for (const char c : ast.text(node).substr(0, 4 * most)) {
    const bool space = c == ' ' || c == '\n' || c == '\t' || c == '\r';
    if (space && (out.empty() || out.back() == ' ')) continue;
    out += space ? ' ' : c;
  }
  if (out.size() > most) {
    std::size_t cut = most;
    while (cut > 0 && (static_cast<unsigned char>(out[cut]) & 0xC0U) == 0x80U) cut--;
    out.resize(cut);
    out += "…";
  }
  return out;
}

}  // namespace ebbtide
