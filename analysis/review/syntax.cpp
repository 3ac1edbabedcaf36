#include "analysis/review/syntax.h"

#include <array>
#include <string>
#include <unordered_map>
#include <utility>

namespace ebbtide {
namespace {

// "this_" is the kind of the grammar's "this": an enumerator cannot have a keyword's name.
std::string_view without_underscore(std::string_view name) {
  return name.ends_with('_') ? name.substr(0, name.size() - 1) : name;
}

constexpr std::array keywords = {"async", "static", "await", "of",  "in",    "get",
                                 "set",   "const",  "let",   "var", "using", "readonly"};

constexpr std::array operators = {
    "=",  "+=", "-=",  "||=", "&&=", "?\?=", "==",     "!=",     "===",  "!==", "<",         ">",
    "<=", ">=", "&&",  "||",  "??",  "+",    "-",      "*",      "/",    "%",   "++",        "--",
    "!",  "~",  "...", "**",  "in",  "of",   "typeof", "delete", "void", "new", "instanceof"};

constexpr std::array<std::pair<std::string_view, Field>, 31> fields = {{
    {"alias", Field::alias},
    {"alternative", Field::alternative},
    {"argument", Field::argument},
    {"arguments", Field::arguments},
    {"body", Field::body},
    {"condition", Field::condition},
    {"constructor", Field::constructor},
    {"declaration", Field::declaration},
    {"finalizer", Field::finalizer},
    {"function", Field::function},
    {"handler", Field::handler},
    {"increment", Field::increment},
    {"index", Field::index},
    {"initializer", Field::initializer},
    {"key", Field::key},
    {"kind", Field::kind},
    {"left", Field::left},
    {"name", Field::name},
    {"object", Field::object},
    {"operator", Field::operator_},
    {"parameter", Field::parameter},
    {"parameters", Field::parameters},
    {"pattern", Field::pattern},
    {"property", Field::property},
    {"return_type", Field::return_type},
    {"right", Field::right},
    {"source", Field::source},
    {"type", Field::type},
    {"value", Field::value},
    {"consequence", Field::consequence},
    {"decorator", Field::decorator},
}};

std::unordered_map<std::string_view, SyntaxKind> named_kinds() {
  std::unordered_map<std::string_view, SyntaxKind> kinds;
#define X(name) kinds[without_underscore(#name)] = SyntaxKind::name;
  EBBTIDE_SYNTAX_KINDS(X)
#undef X
  kinds["class"] = SyntaxKind::class_expression;
  kinds["ERROR"] = SyntaxKind::error;
  return kinds;
}

}  // namespace

SyntaxKind kind_named(std::string_view grammar_name, bool named) {
  static const std::unordered_map<std::string_view, SyntaxKind> kinds = named_kinds();
  if (named) {
    const auto found = kinds.find(grammar_name);
    return found == kinds.end() ? SyntaxKind::other : found->second;
  }
  for (const std::string_view word : keywords) {
    if (word == grammar_name) return SyntaxKind::keyword;
  }
  for (const std::string_view word : operators) {
    if (word == grammar_name) return SyntaxKind::operator_;
  }
  return SyntaxKind::other;
}

Field field_named(std::string_view grammar_name) {
  for (const auto& [name, field] : fields) {
    if (name == grammar_name) return field;
  }
  return Field::other;
}

}  // namespace ebbtide
