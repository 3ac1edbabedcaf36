// Answers: which methods and fields has a class, and whose `this` is meant? A class here is a
// `class`, a constructor function with methods on its prototype, or an object literal with methods.
#pragma once

#include <string_view>
#include <unordered_map>
#include <vector>

#include "analysis/review/ast.h"
#include "analysis/review/scopes.h"

namespace ebbtide {

struct ClassMembers {
  std::unordered_map<std::string_view, NodeId> methods;              // functions
  std::unordered_map<std::string_view, std::vector<NodeId>> fields;  // values given to it
  std::unordered_map<std::string_view, NodeId> field_types;          // type annotations
  std::unordered_map<std::string_view, NodeId> field_parameters;  // constructor(private hub: Hub)
  NodeId heritage = 0;                                            // the expression after `extends`
};

class Classes {
 public:
  Classes(const Ast& ast, const Scopes& scopes);

  // nullptr when `node` is none of a class, constructor function or object literal.
  [[nodiscard]] const ClassMembers* members(NodeId node) const;
  [[nodiscard]] const std::unordered_map<NodeId, ClassMembers>& all() const { return members_; }

  // The class whose instance `this` is at that node; 0 when unknown.
  [[nodiscard]] NodeId this_class(NodeId node) const;
  // The class a function is a method of; 0 for a free function.
  [[nodiscard]] NodeId class_of_method(NodeId function) const;

  // Every method of that name in the program.
  [[nodiscard]] const std::vector<NodeId>& methods_named(std::string_view name) const;

 private:
  void add_class(NodeId node);
  void add_constructor_parameters(NodeId constructor, ClassMembers& members);
  void add_object(NodeId object);
  void add_prototype_method(NodeId assignment);
  void add_field_assignment(NodeId assignment);

  const Ast& ast_;
  const Scopes& scopes_;
  std::unordered_map<NodeId, ClassMembers> members_;
  std::unordered_map<NodeId, NodeId> class_of_method_;
  std::unordered_map<std::string_view, std::vector<NodeId>> methods_named_;
};

}  // namespace ebbtide
