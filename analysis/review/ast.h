// Answers: how is the source of a whole program walked? One flat vector of nodes in reading order
// for all files, so that a place in any file is one number, a subtree is a stretch of the vector
// and no walk recurses. Nothing of tree-sitter is needed to read it.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "analysis/review/source_lines.h"
#include "analysis/review/syntax.h"

namespace ebbtide {

// Index into Ast; 0 is "no node", which has no kind, no text and no children, so that questions can
// be chained without asking after each.
using NodeId = std::uint32_t;

struct AstNode {
  SyntaxKind kind = SyntaxKind::other;
  Field field = Field::none;
  NodeId parent = 0;
  NodeId end = 0;  // one past the last node below it
  std::uint32_t start_byte = 0;
  std::uint32_t end_byte = 0;
};

// Lines and columns from 1, columns in UTF-16 code units, the end exclusive.
struct SourceRange {
  std::uint32_t line = 0;
  std::uint32_t column = 0;
  std::uint32_t end_line = 0;
  std::uint32_t end_column = 0;

  bool operator==(const SourceRange&) const = default;
};

struct LineSpan {
  std::uint32_t first = 0;
  std::uint32_t last = 0;

  bool operator==(const LineSpan&) const = default;
};

struct SourceComment {
  std::uint32_t line = 0;
  std::string_view text;
};

struct AstFile {
  std::string path;
  std::string_view text;  // must outlive the Ast
  NodeId root = 0;
  SourceLines lines;
  std::vector<SourceComment> comments;
  std::vector<LineSpan> unparsed;  // lines the grammar could not make sense of
};

class Ast {
 public:
  Ast() : nodes_(1) {}

  [[nodiscard]] const AstNode& operator[](NodeId node) const { return nodes_[node]; }
  [[nodiscard]] std::size_t size() const { return nodes_.size(); }
  [[nodiscard]] const std::vector<AstFile>& files() const { return files_; }

  [[nodiscard]] SyntaxKind kind(NodeId node) const { return nodes_[node].kind; }
  [[nodiscard]] NodeId parent(NodeId node) const { return nodes_[node].parent; }
  [[nodiscard]] NodeId end(NodeId node) const { return nodes_[node].end; }
  [[nodiscard]] bool is(NodeId node, SyntaxKind kind) const { return nodes_[node].kind == kind; }
  template <class... Kinds>
  [[nodiscard]] bool is_any(NodeId node, Kinds... kinds) const {
    return ((nodes_[node].kind == kinds) || ...);
  }
  [[nodiscard]] std::string_view text(NodeId node) const;

  // The first child in that part; 0 when there is none.
  [[nodiscard]] NodeId child(NodeId node, Field field) const;
  [[nodiscard]] NodeId first_child(NodeId node) const {
    return node + 1 < nodes_[node].end ? node + 1 : 0;
  }
  [[nodiscard]] NodeId next_sibling(NodeId node) const;
  [[nodiscard]] std::vector<NodeId> children(NodeId node) const;
  [[nodiscard]] bool has_keyword(NodeId node, std::string_view word) const;

  [[nodiscard]] bool contains(NodeId outer, NodeId inner) const {
    return outer != 0 && outer <= inner && inner < nodes_[outer].end;
  }

  [[nodiscard]] std::uint32_t file_of(NodeId node) const;
  [[nodiscard]] SourceRange range(NodeId node) const;
  [[nodiscard]] std::uint32_t line(NodeId node) const;

 private:
  friend class AstBuilder;
  std::vector<AstNode> nodes_;
  std::vector<AstFile> files_;
};

// Calls visit(node) for every node below `node`, in reading order; a visit that returns false skips
// what is below the node visited.
template <class Visit>
void walk(const Ast& ast, NodeId node, Visit visit) {
  for (NodeId at = node + 1; at < ast.end(node);) at = visit(at) ? at + 1 : ast.end(at);
}

bool is_function(const Ast& ast, NodeId node);
bool is_class(const Ast& ast, NodeId node);

// The function a node is in, itself not counted; 0 at the top level of a file.
NodeId function_above(const Ast& ast, NodeId node);
// The class whose body a node is in; 0 outside of classes.
NodeId class_above(const Ast& ast, NodeId node);

bool is_async(const Ast& ast, NodeId function);

// Without parentheses, `as` casts, `!` and await: the expression that gives the value.
NodeId unwrapped(const Ast& ast, NodeId expression);

// Text of a string or of a template without substitutions; "" for anything else.
std::string_view string_value(const Ast& ast, NodeId node);

std::vector<NodeId> arguments_of(const Ast& ast, NodeId call);
NodeId argument(const Ast& ast, NodeId call, std::size_t index);

// A parameter's pattern: an identifier, or a destructuring pattern. Defaults are left out.
std::vector<NodeId> parameters_of(const Ast& ast, NodeId function);

// "send" of `ws.send`, `ws?.send` and `ws["send"]`, "" of anything else.
std::string_view member_name(const Ast& ast, NodeId expression);
// "ws" of `ws.send` and `ws["send"]`; 0 of anything else.
NodeId member_object(const Ast& ast, NodeId expression);

// Of a call: the callee's member name and object, or its plain name and 0.
struct Callee {
  NodeId node = 0;
  NodeId object = 0;
  std::string_view name;
};
Callee callee_of(const Ast& ast, NodeId call);

// The text of an expression in one line, white space folded, cut after `most` bytes.
std::string brief(const Ast& ast, NodeId node, std::size_t most = 60);

}  // namespace ebbtide
