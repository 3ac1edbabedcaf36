#include "analysis/review/classes.h"

namespace ebbtide {
namespace {

using enum SyntaxKind;

// "dispose" of `[Symbol.dispose]() {}` is known by its whole symbol.
std::string_view method_name(const Ast& ast, NodeId method) {
  const NodeId name = ast.child(method, Field::name);
  if (ast.is(name, computed_property_name)) return ast.text(ast.first_child(name));
  if (ast.is(name, string)) return string_value(ast, name);
  return ast.text(name);
}

}  // namespace

Classes::Classes(const Ast& ast, const Scopes& scopes) : ast_(ast), scopes_(scopes) {
  for (NodeId node = 1; node < ast.size(); node++) {
    if (is_class(ast, node)) add_class(node);
    if (ast.is(node, object)) add_object(node);
  }
  for (NodeId node = 1; node < ast.size(); node++) {
    if (ast.is(node, assignment_expression)) add_prototype_method(node);
  }
  for (NodeId node = 1; node < ast.size(); node++) {
    if (ast.is(node, assignment_expression)) add_field_assignment(node);
  }
  for (const auto& [owner, members] : members_) {
    for (const auto& [name, function] : members.methods) methods_named_[name].push_back(function);
  }
}

const ClassMembers* Classes::members(NodeId node) const {
  const auto found = members_.find(node);
  return found == members_.end() ? nullptr : &found->second;
}

NodeId Classes::class_of_method(NodeId function) const {
  const auto found = class_of_method_.find(function);
  return found == class_of_method_.end() ? 0 : found->second;
}

const std::vector<NodeId>& Classes::methods_named(std::string_view name) const {
  static const std::vector<NodeId> none;
  const auto found = methods_named_.find(name);
  return found == methods_named_.end() ? none : found->second;
}

NodeId Classes::this_class(NodeId node) const {
  for (NodeId at = ast_.parent(node); at != 0; at = ast_.parent(at)) {
    if (is_class(ast_, at)) return at;  // a field's initialiser
    if (!is_function(ast_, at)) continue;
    if (const NodeId owner = class_of_method(at); owner != 0 && !ast_.is(at, arrow_function))
      return owner;
    if (members(at) != nullptr && !ast_.is(at, arrow_function)) return at;
    if (!ast_.is(at, arrow_function)) return 0;
  }
  return 0;
}

void Classes::add_class(NodeId node) {
  ClassMembers& members = members_[node];
  const NodeId heritage = [&] {
    for (const NodeId child : ast_.children(node)) {
      if (ast_.is(child, class_heritage)) return child;
    }
    return NodeId(0);
  }();
  NodeId base = ast_.first_child(heritage);
  if (ast_.is(base, extends_clause)) base = ast_.child(base, Field::value);
  members.heritage = base;
  for (const NodeId member : ast_.children(ast_.child(node, Field::body))) {
    if (ast_.is(member, method_definition)) {
      const std::string_view name = method_name(ast_, member);
      members.methods[name] = member;
      class_of_method_[member] = node;
      if (name == "constructor") add_constructor_parameters(member, members);
      continue;
    }
    if (!ast_.is_any(member, field_definition, public_field_definition)) continue;
    NodeId name = ast_.child(member, Field::name);
    if (name == 0) name = ast_.child(member, Field::property);
    const NodeId value = ast_.child(member, Field::value);
    if (value != 0) members.fields[ast_.text(name)].push_back(value);
    if (const NodeId type = ast_.child(member, Field::type))
      members.field_types[ast_.text(name)] = type;
    if (is_function(ast_, unwrapped(ast_, value))) {
      members.methods[ast_.text(name)] = unwrapped(ast_, value);
      class_of_method_[unwrapped(ast_, value)] = node;
    }
  }
}

void Classes::add_constructor_parameters(NodeId constructor, ClassMembers& members) {
  for (const NodeId parameter : ast_.children(ast_.child(constructor, Field::parameters))) {
    bool is_field = ast_.has_keyword(parameter, "readonly");
    for (const NodeId part : ast_.children(parameter))
      is_field = is_field || ast_.is(part, accessibility_modifier);
    NodeId pattern = ast_.child(parameter, Field::pattern);
    if (ast_.is(pattern, assignment_pattern)) pattern = ast_.child(pattern, Field::left);
    if (!is_field || !ast_.is(pattern, identifier)) continue;
    members.field_parameters[ast_.text(pattern)] = pattern;
    if (const NodeId type = ast_.child(parameter, Field::type))
      members.field_types[ast_.text(pattern)] = type;
  }
}

void Classes::add_object(NodeId object) {
  ClassMembers members;
  for (const NodeId part : ast_.children(object)) {
    if (ast_.is(part, method_definition)) {
      members.methods[method_name(ast_, part)] = part;
      class_of_method_[part] = object;
    } else if (ast_.is(part, pair)) {
      const NodeId key = ast_.child(part, Field::key);
      const NodeId value = ast_.child(part, Field::value);
      const std::string_view quoted = string_value(ast_, key);
      const std::string_view name = quoted.empty() ? ast_.text(key) : quoted;
      members.fields[name].push_back(value);
      if (const NodeId function = unwrapped(ast_, value); is_function(ast_, function)) {
        members.methods[name] = function;
        class_of_method_[function] = object;
      }
    } else if (ast_.is(part, shorthand_property_identifier)) {
      members.fields[ast_.text(part)].push_back(part);
    }
  }
  members_[object] = std::move(members);
}

// `Client.prototype.send = function () {…}` makes the function Client a class.
void Classes::add_prototype_method(NodeId assignment) {
  const NodeId left = ast_.child(assignment, Field::left);
  const NodeId prototype = member_object(ast_, left);
  if (member_name(ast_, prototype) != "prototype") return;
  const NodeId declaration = scopes_.declaration_of(member_object(ast_, prototype));
  const NodeId constructor = scopes_.binding(declaration).value;
  const NodeId method = unwrapped(ast_, ast_.child(assignment, Field::right));
  if (!is_function(ast_, constructor) || !is_function(ast_, method)) return;
  members_[constructor].methods[member_name(ast_, left)] = method;
  class_of_method_[method] = constructor;
}

void Classes::add_field_assignment(NodeId assignment) {
  const NodeId left = ast_.child(assignment, Field::left);
  if (!ast_.is(member_object(ast_, left), this_)) return;
  const auto owner = members_.find(this_class(left));
  if (owner == members_.end()) return;
  const NodeId value = ast_.child(assignment, Field::right);
  owner->second.fields[member_name(ast_, left)].push_back(value);
  if (const NodeId function = unwrapped(ast_, value); is_function(ast_, function)) {
    owner->second.methods.emplace(member_name(ast_, left), function);
    class_of_method_.emplace(function, owner->first);
  }
}

}  // namespace ebbtide
