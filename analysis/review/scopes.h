// Answers: which declaration does a name refer to, and what was it given?
#pragma once

#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "analysis/review/ast.h"

namespace ebbtide {

enum class BindingKind : std::uint8_t {
  variable,
  parameter,
  function,
  type_or_class,
  import,
  loop,  // the variable of for..of or for..in
  caught,
};

struct Binding {
  BindingKind kind = BindingKind::variable;
  NodeId scope = 0;  // the block, function or file it is seen in
  NodeId value = 0;  // initialiser, function, class, import statement, or what a loop goes through
  std::string path = {};  // ".user.id" or "[1]" when taken out of the value by destructuring
  std::vector<NodeId> assigned = {};  // right sides of later `name = …`
};

// A binding is known by the node of the name that declares it.
class Scopes {
 public:
  explicit Scopes(const Ast& ast);

  // 0 for a global name and for what is no name.
  [[nodiscard]] NodeId declaration_of(NodeId name) const;
  [[nodiscard]] const Binding& binding(NodeId declaration) const;
  [[nodiscard]] const std::unordered_map<NodeId, Binding>& bindings() const { return bindings_; }

 private:
  void declare_all();
  void declare_function(NodeId function);
  void declare_import(NodeId statement);
  void declare_variable(NodeId declarator);
  void declare_pattern(NodeId pattern, const Binding& binding);
  void declare(NodeId name, Binding binding);
  [[nodiscard]] bool is_var(NodeId name) const;
  void resolve_all();
  void note_assignments();

  const Ast& ast_;
  std::unordered_map<NodeId, Binding> bindings_;
  std::unordered_map<NodeId, std::vector<NodeId>> declared_in_;                    // scope to names
  std::unordered_map<NodeId, std::unordered_map<std::string_view, NodeId>> vars_;  // by scope
  std::vector<NodeId> resolved_;                                                   // by node
};

}  // namespace ebbtide
