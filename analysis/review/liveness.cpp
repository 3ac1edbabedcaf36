#include "analysis/review/liveness.h"

#include "analysis/review/words.h"

namespace ebbtide {
namespace {

using enum SyntaxKind;

bool names_life(std::string_view name) {
  if (name.starts_with("#")) name.remove_prefix(1);
  return one_of(name, {"readyState",   "destroyed", "closed",   "isClosed",      "connected",
                       "disconnected", "aborted",   "writable", "writableEnded", "readable",
                       "isAlive",      "alive",     "gone",     "isOpen",        "closing",
                       "isConnected",  "ended",     "done",     "disposed",      "OPEN"});
}

bool is_name(const Ast& ast, NodeId node) {
  return ast.is_any(node, identifier, property_identifier, private_property_identifier);
}

bool leaves(const Ast& ast, NodeId statement) {
  if (ast.is(statement, statement_block)) {
    const auto inside = ast.children(statement);
    if (inside.empty()) return false;
    statement = inside.back();
  }
  return ast.is_any(statement, return_statement, throw_statement, continue_statement,
                    break_statement);
}

bool is_promise_callback(const Ast& ast, NodeId function) {
  const NodeId call = ast.parent(ast.parent(function));
  return ast.is(call, call_expression) && one_of(callee_of(ast, call).name, {"then", "finally"});
}

NodeId function_around(const Ast& ast, NodeId node) {
  while (node != 0 && !is_function(ast, node)) node = ast.parent(node);
  return node;
}

// In a branch that does not come to the node: the other one of an if, or one that leaves.
bool is_on_another_branch(const Ast& ast, NodeId awaited, NodeId node) {
  for (NodeId up = awaited; up != 0 && !ast.contains(up, node); up = ast.parent(up)) {
    const NodeId around = ast.parent(up);
    const bool choice = ast.is_any(around, if_statement, ternary_expression, switch_body);
    if (choice && ast.contains(around, node) && ast[up].field != Field::condition) return true;
    if (ast.is(up, statement_block) && leaves(ast, up)) return true;
  }
  return false;
}

}  // namespace

std::vector<NodeId> conditions_of(const Ast& ast, NodeId node) {
  std::vector<NodeId> conditions;
  for (NodeId at = node; at != 0 && !is_function(ast, at); at = ast.parent(at)) {
    const NodeId around = ast.parent(at);
    const bool branch = ast.is_any(around, if_statement, ternary_expression, while_statement);
    if (branch && ast[at].field != Field::condition)
      conditions.push_back(ast.child(around, Field::condition));
    if (ast.is(around, binary_expression) && ast[at].field == Field::right &&
        one_of(ast.text(ast.child(around, Field::operator_)), {"&&", "||"}))
      conditions.push_back(ast.child(around, Field::left));
    if (!ast.is_any(around, statement_block, switch_case)) continue;
    for (NodeId before = ast.first_child(around); before != 0 && before < at;
         before = ast.next_sibling(before)) {
      if (ast.is(before, if_statement) && leaves(ast, ast.child(before, Field::consequence)))
        conditions.push_back(ast.child(before, Field::condition));
    }
  }
  return conditions;
}

bool looks_at_life(const Ast& ast, Values& values, NodeId condition) {
  bool found = false;
  const auto look = [&](NodeId node) {
    found = found || (is_name(ast, node) && names_life(ast.text(node)));
    if (found || !ast.is(node, call_expression)) return !found;
    for (const NodeId function : values.called(node)) {
      walk(ast, function, [&](NodeId inner) {
        found = found || (is_name(ast, inner) && names_life(ast.text(inner)));
        return !found;
      });
    }
    return !found;
  };
  if (look(condition)) walk(ast, condition, look);
  return found;
}

NodeId await_before(const Ast& ast, NodeId node) {
  const NodeId function = function_around(ast, node);
  if (function == 0 || function == node) return 0;
  NodeId last = 0;
  walk(ast, function, [&](NodeId at) {
    if (at >= node) return false;
    const bool over = ast.is(at, await_expression) && ast.end(at) <= node;
    if (over && !is_on_another_branch(ast, at, node)) last = at;
    return !is_function(ast, at) || ast.contains(at, node);
  });
  return last;
}

bool is_late(const Ast& ast, Values& values, NodeId node) {
  const NodeId awaited = await_before(ast, node);
  if (awaited == 0 && !is_promise_callback(ast, function_around(ast, node))) return false;
  for (const NodeId condition : conditions_of(ast, node)) {
    if (condition > awaited && looks_at_life(ast, values, condition)) return false;
  }
  return true;
}

}  // namespace ebbtide
