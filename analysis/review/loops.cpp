#include "analysis/review/loops.h"

namespace ebbtide {

using enum SyntaxKind;

std::vector<NodeId> loops_around(const Ast& ast, NodeId node) {
  std::vector<NodeId> loops;
  for (NodeId at = node; at != 0; at = ast.parent(at)) {
    const NodeId around = ast.parent(at);
    if (ast.is(around, for_in_statement) && ast[at].field == Field::body) loops.push_back(around);
    if (!is_function(ast, at)) continue;
    const NodeId call = ast.parent(around);
    if (!ast.is(call, call_expression) || callee_of(ast, call).name != "forEach") break;
    loops.push_back(call);
  }
  return loops;
}

NodeId looped_over(const Ast& ast, NodeId loop) {
  return ast.is(loop, for_in_statement) ? ast.child(loop, Field::right)
                                        : callee_of(ast, loop).object;
}

}  // namespace ebbtide
