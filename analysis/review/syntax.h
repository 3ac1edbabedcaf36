// Answers: of which kinds are the nodes of a syntax tree, and which part of its parent is a node?
// The names are those of the tree-sitter grammars for JavaScript, TypeScript and TSX.
#pragma once

#include <cstdint>
#include <string_view>

namespace ebbtide {

// Every kind that some rule asks for; the rest is `other`.
// clang-format off
#define EBBTIDE_SYNTAX_KINDS(X) \
  X(program) X(comment) X(import_statement) X(import_clause) X(import_specifier) X(named_imports) \
  X(namespace_import) X(import_require_clause) X(export_statement) X(export_clause) \
  X(export_specifier) X(namespace_export) X(statement_block) X(expression_statement) \
  X(variable_declaration) X(lexical_declaration) X(variable_declarator) X(function_declaration) \
  X(generator_function_declaration) X(function_expression) X(generator_function) \
  X(arrow_function) X(method_definition) X(class_declaration) X(abstract_class_declaration) \
  X(class_body) X(class_heritage) X(extends_clause) X(field_definition) \
  X(public_field_definition) X(class_static_block) X(decorator) X(if_statement) X(else_clause) \
  X(for_statement) X(for_in_statement) X(while_statement) X(do_statement) X(switch_statement) \
  X(switch_body) X(switch_case) X(switch_default) X(try_statement) X(catch_clause) \
  X(finally_clause) X(return_statement) X(throw_statement) X(break_statement) \
  X(continue_statement) X(call_expression) X(new_expression) X(member_expression) \
  X(subscript_expression) X(assignment_expression) X(augmented_assignment_expression) \
  X(await_expression) X(yield_expression) X(unary_expression) X(update_expression) \
  X(binary_expression) X(ternary_expression) X(sequence_expression) X(parenthesized_expression) \
  X(spread_element) X(object) X(array) X(pair) X(shorthand_property_identifier) X(object_pattern) \
  X(array_pattern) X(pair_pattern) X(shorthand_property_identifier_pattern) X(assignment_pattern) \
  X(object_assignment_pattern) X(rest_pattern) X(computed_property_name) X(identifier) \
  X(property_identifier) X(private_property_identifier) X(this_) X(super_) X(null_) X(undefined) \
  X(true_) X(false_) X(number) X(string) X(template_string) X(template_substitution) X(regex) \
  X(arguments) X(formal_parameters) X(required_parameter) X(optional_parameter) X(as_expression) \
  X(satisfies_expression) X(non_null_expression) X(type_assertion) X(type_annotation) \
  X(type_identifier) X(generic_type) X(type_arguments) X(accessibility_modifier) \
  X(internal_module) X(enum_declaration)
// clang-format on

enum class SyntaxKind : std::uint16_t {
  other,
  class_expression,  // called "class" by the grammars, like the keyword
  keyword,           // async, static, await, of …: a word of the language that changes a meaning
  operator_,         // =, +, ===, !, typeof …
  error,             // what could not be parsed
#define X(name) name,
  EBBTIDE_SYNTAX_KINDS(X)
#undef X
};

// Which part of its parent a node is; `none` for the members of a list.
enum class Field : std::uint8_t {
  none,
  alias,
  alternative,
  argument,
  arguments,
  body,
  condition,
  constructor,
  declaration,
  finalizer,
  function,
  handler,
  increment,
  index,
  initializer,
  key,
  kind,
  left,
  name,
  object,
  operator_,
  parameter,
  parameters,
  pattern,
  property,
  return_type,
  right,
  source,
  type,
  value,
  consequence,
  decorator,
  other,
};

SyntaxKind kind_named(std::string_view grammar_name, bool named);
Field field_named(std::string_view grammar_name);

}  // namespace ebbtide
