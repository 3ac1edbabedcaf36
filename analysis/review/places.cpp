// The half of Values that asks where something is held and what holds a connection.
#include <algorithm>

#include "analysis/review/values.h"
#include "analysis/review/words.h"

namespace ebbtide {
namespace {

using enum SyntaxKind;

constexpr std::size_t max_path = 80;

Place below(Place place, std::string_view step) {
  if (place.root == 0 || place.path.size() > max_path) return {};
  place.path += step;
  return place;
}

// The type's name in front of its arguments: "Map" of ": Map<string, User>".
std::string_view type_name(const Ast& ast, NodeId annotation) {
  std::string_view text = ast.text(annotation);
  const auto from = text.find_first_not_of(": ");
  if (from == std::string_view::npos) return {};
  text.remove_prefix(from);
  return text.substr(0, text.find_first_of("<[ |;&\n"));
}

NodeId annotation_of(const Ast& ast, NodeId declaration) {
  return ast.child(ast.parent(declaration), Field::type);
}

}  // namespace

bool Values::is_connection(NodeId expression) {
  for (const NodeId source : sources(expression)) {
    if (connections_.contains(source)) return true;
  }
  return false;
}

bool Values::holds_connection(NodeId expression) {
  expression = unwrapped(ast_, expression);
  if (expression == 0 || depth_ > max_depth_) return false;
  const auto [cached, fresh] = holding_.try_emplace(expression, false);
  if (!fresh) return cached->second;
  bool& answer = cached->second;
  depth_++;
  const std::vector<NodeId> all = sources(expression);
  for (const NodeId source : all) {
    if (connections_.contains(source)) answer = true;
    if (is_function(ast_, source)) answer = answer || captures_connection(source);
    if (ast_.is_any(source, object, array)) {
      for (const NodeId part : ast_.children(source)) {
        const NodeId value = ast_.is(part, pair) ? ast_.child(part, Field::value) : part;
        const bool inner =
            ast_.is(part, method_definition) ? captures_connection(part) : holds_connection(value);
        answer = answer || inner;
      }
    }
    if (ast_.is(source, spread_element)) answer = answer || holds_connection(source + 1);
    if (ast_.is_any(source, new_expression, call_expression)) {
      for (const NodeId each : arguments_of(ast_, source))
        answer = answer || holds_connection(each);
    }
    if (ast_.is(source, this_)) {
      const ClassMembers* members = classes_.members(instance(source));
      if (members == nullptr) continue;
      for (const auto& [name, values] : members->fields) {
        for (const NodeId value : values) answer = answer || is_connection(value);
      }
      for (const auto& [name, parameter] : members->field_parameters)
        answer = answer || is_connection(parameter);
    }
    if (answer) break;
  }
  depth_--;
  return answer;
}

// A closure keeps what it names from outside.
bool Values::captures_connection(NodeId function) {
  bool found = false;
  walk(ast_, function, [&](NodeId node) {
    if (found) return false;
    if (!ast_.is_any(node, identifier, shorthand_property_identifier, this_)) return true;
    const NodeId declaration = scopes_.declaration_of(node);
    const bool outside = declaration != 0 && !ast_.contains(function, declaration);
    if ((outside && is_connection(node)) || (ast_.is(node, this_) && holds_connection(node)))
      found = true;
    return !found;
  });
  return found;
}

Place Values::place(NodeId expression) {
  expression = unwrapped(ast_, expression);
  if (expression == 0 || depth_ > max_depth_) return {};
  const auto [cached, fresh] = places_.try_emplace(expression);
  Place& answer = cached->second;
  if (!fresh) return answer;
  depth_++;
  const std::string_view member = member_name(ast_, expression);
  if (is_connection(expression)) {
    answer = {connection_root, ""};
  } else if (ast_.is_any(expression, identifier, shorthand_property_identifier)) {
    answer = place_of_name(expression);
  } else if (!member.empty()) {
    const NodeId object = member_object(ast_, expression);
    const NodeId owner = is_connection(object) ? connection_root : instance(object);
    answer = owner != 0 ? place_of_field(owner, member)
                        : below(place(object), "." + std::string(member));
  } else if (ast_.is(expression, subscript_expression)) {
    answer = below(place(ast_.child(expression, Field::object)), "[]");
  } else if (ast_.is(expression, call_expression)) {
    answer = place_of_call(expression);
  } else if (ast_.is_any(expression, binary_expression, assignment_expression,
                         augmented_assignment_expression)) {
    answer = place(ast_.child(expression, Field::left));
    if (!answer.known()) answer = place(ast_.child(expression, Field::right));
  } else if (ast_.is(expression, ternary_expression)) {
    answer = place(ast_.child(expression, Field::consequence));
    if (!answer.known()) answer = place(ast_.child(expression, Field::alternative));
  } else if (ast_.is_any(expression, new_expression, array, object)) {
    answer = place_of_stored(expression);
    const bool copies = one_of(callee_of(ast_, expression).name, {"Set", "Map", "Array"});
    if (!answer.known() && copies)
      answer = place(argument(ast_, expression, 0));  // new Set(users), a copy
  } else if (ast_.is(expression, spread_element)) {
    answer = place(ast_.first_child(expression));
  } else if (ast_.is(expression, array)) {
    answer = place(ast_.first_child(expression));
  }
  depth_--;
  return answer;
}

// Of the class that declares the field, of whatever subclass the instance is. A field that is only
// another name for something stands for that.
Place Values::place_of_field(NodeId owner, std::string_view name) {
  const Place field{owner, "." + std::string(name)};
  if (owner == connection_root) return field;
  Place found = field;
  NodeId at = owner;
  for (int levels = 0; at != 0 && levels < 8; levels++) {
    const ClassMembers* members = classes_.members(at);
    if (members == nullptr) break;
    const auto given = members->fields.find(name);
    const auto parameter = members->field_parameters.find(name);
    if (given != members->fields.end()) {
      found.root = at;
      std::vector<NodeId> values;
      for (const NodeId value : given->second) {
        const NodeId plain = unwrapped(ast_, value);
        if (!ast_.is_any(plain, null_, undefined)) values.push_back(plain);
      }
      const bool alias =
          values.size() == 1 &&
          ast_.is_any(values.front(), identifier, member_expression, shorthand_property_identifier);
      const Place aliased = alias ? place(values.front()) : Place{};
      if (aliased.known() && aliased.root != connection_root) return aliased;
    } else if (parameter != members->field_parameters.end()) {
      const Place aliased = place(parameter->second);
      return aliased.known() && aliased.root != connection_root ? aliased : Place{at, field.path};
    } else if (members->field_types.contains(name)) {
      found.root = at;
    }
    at = instance(members->heritage);
  }
  return found;
}

Place Values::place_of_call(NodeId call) {
  const Callee callee = callee_of(ast_, call);
  if (one_of(ast_.text(callee.object), {"Object", "Array"})) return place(argument(ast_, call, 0));
  const bool searches = callee.name == "find" && !functions(argument(ast_, call, 0)).empty();
  if (callee.object != 0 && (searches || one_of(callee.name, {"get", "at", "pop", "shift"}))) {
    const Place element = below(place(callee.object), "[]");
    if (element.known()) return element;
  }
  // What a chainable method returns is what it was called on.
  if (one_of(callee.name, {"values", "entries", "keys", "filter", "slice", "add"})) {
    const Place same = place(callee.object);
    if (same.known()) return same;
  }
  const std::vector<NodeId> run = called(call);
  if (run.empty() && callee.object != 0 && is_connection(callee.object))
    return {connection_root, "." + std::string(callee.name) + "()"};
  for (const NodeId function : run) {
    for (const NodeId value : returned(function)) {
      if (const Place found = place(value); found.known()) return found;
    }
  }
  return {};
}

Place Values::place_of_stored(NodeId value) {
  const auto found = stored_in_.find(value);
  return found == stored_in_.end() ? Place{} : below(found->second, "[]");
}

// A variable that is another name for something held elsewhere stands for that place.
Place Values::place_of_name(NodeId name) {
  const NodeId declaration = scopes_.declaration_of(name);
  if (declaration == 0) {
    const auto global = globals_.find(ast_.text(name));
    return global == globals_.end() ? Place{} : Place{global->second, ""};
  }
  const Binding& binding = scopes_.binding(declaration);
  const auto is_alias = [&](NodeId value) {
    value = unwrapped(ast_, value);
    return ast_.is_any(value, identifier, member_expression, subscript_expression, call_expression,
                       binary_expression, assignment_expression, ternary_expression);
  };
  Place found;
  const auto consider = [&](NodeId value) {
    if (!found.known() && is_alias(value)) found = place(value);
    if (found.known()) return;
    for (const NodeId source : sources(value)) {
      if (!found.known()) found = place_of_stored(source);
    }
  };
  switch (binding.kind) {
    case BindingKind::loop:
      found = binding.path == "[0]" ? Place{} : below(place(binding.value), "[]");
      if (!binding.path.empty() && !binding.path.starts_with("["))
        found = below(found, binding.path);
      break;
    case BindingKind::parameter: {
      const NodeId pattern = pattern_of_parameter(declaration);
      if (const auto bound = arguments_.find(pattern); bound != arguments_.end()) {
        for (const NodeId value : bound->second) {
          if (!found.known()) found = place(value);
        }
      }
      const NodeId call = ast_.parent(ast_.parent(binding.scope));
      const Callee callee = ast_.is(call, call_expression) ? callee_of(ast_, call) : Callee{};
      if (!found.known() && one_of(callee.name, {"forEach", "map", "filter", "some", "find"}) &&
          parameters_of(ast_, binding.scope).front() == pattern)
        found = below(place(callee.object), "[]");
      if (found.known() && binding.path.starts_with(".")) found = below(found, binding.path);
      break;
    }
    case BindingKind::variable:
      if (binding.path.empty())
        consider(binding.value);
      else if (const NodeId owner = instance(binding.value); owner != 0)
        found = {owner, binding.path};
      else
        found = below(place(binding.value), binding.path);
      for (const NodeId value : binding.assigned) consider(value);
      break;
    case BindingKind::import: {
      const ImportTarget target = modules_.imported(declaration);
      if (target.node != 0 && !ast_.is(target.node, program)) found = place(target.node);
      break;
    }
    default:
      break;
  }
  return found.known() ? found : Place{declaration, ""};
}

std::string Values::collection_type(NodeId expression) {
  for (const NodeId source : sources(expression)) {
    if (ast_.is(source, array)) return "Array";
    if (ast_.is(source, object)) return "object";
    if (ast_.is(source, call_expression) && callee_of(ast_, source).name == "create")
      return "object";
    if (ast_.is(source, new_expression)) {
      const std::string_view made = callee_of(ast_, source).name;
      if (one_of(made, {"Map", "Set", "WeakMap", "WeakSet", "Array"})) return std::string(made);
    }
  }
  const NodeId declaration = scopes_.declaration_of(unwrapped(ast_, expression));
  NodeId annotation = annotation_of(ast_, declaration);
  if (declaration == 0) {
    const ClassMembers* members = classes_.members(instance(member_object(ast_, expression)));
    const std::string_view name = member_name(ast_, expression);
    if (members != nullptr && members->field_types.contains(name))
      annotation = members->field_types.at(name);
  }
  const std::string_view type = type_name(ast_, annotation);
  if (one_of(type, {"Map", "Set", "WeakMap", "WeakSet", "Array"})) return std::string(type);
  if (type == "Record") return "object";
  return ast_.text(annotation).ends_with("[]") ? "Array" : "";
}

std::string Values::external_by_type(NodeId annotation) {
  std::string found;
  walk(ast_, annotation, [&](NodeId node) {
    if (!found.empty() || !ast_.is_any(node, type_identifier, identifier)) return found.empty();
    const std::string name = external_of_name(node);
    const NodeId around = ast_.parent(node);
    const std::string_view text = ast_.text(around);  // WebSocket.Server
    const bool nested = ast_.is(around, other) && text.starts_with(ast_.text(node)) &&
                        text.size() > ast_.text(node).size() && text[ast_.text(node).size()] == '.';
    if (!name.empty())
      found = name + (nested ? std::string(text.substr(ast_.text(node).size() + 1)) : "") + "()";
    return found.empty();
  });
  return found;
}

// A package's own name for what an imported name stands for; "ws:" for its default and its whole.
std::string Values::external_of_name(NodeId name) {
  const NodeId declaration = scopes_.declaration_of(name);
  const Binding& binding = scopes_.binding(declaration);
  if (declaration == 0 || binding.kind != BindingKind::import) return "";
  const ImportTarget target = modules_.imported(declaration);
  if (target.package.empty()) return "";
  const bool whole = target.member == "*" || target.member == "default";
  return target.package + ":" + (whole ? "" : target.member);
}

std::string Values::external(NodeId expression) {
  expression = unwrapped(ast_, expression);
  if (expression == 0 || depth_ > max_depth_) return "";
  const auto [cached, fresh] = externals_.try_emplace(expression);
  std::string& answer = cached->second;
  if (!fresh) return answer;
  depth_++;
  const auto member_of = [](const std::string& object, std::string_view name) {
    if (object.empty() || object.size() > max_path) return std::string();
    if (name == "default") return object;
    return object + (object.ends_with(":") ? "" : ".") + std::string(name);
  };
  const NodeId declaration = scopes_.declaration_of(expression);
  if (ast_.is_any(expression, identifier, type_identifier)) {
    answer = external_of_name(expression);
    const Binding& binding = scopes_.binding(declaration);
    if (answer.empty() && binding.kind == BindingKind::variable && binding.path.starts_with("."))
      answer = member_of(external(binding.value), std::string_view(binding.path).substr(1));
  } else if (const auto name = member_name(ast_, expression); !name.empty()) {
    answer = member_of(external(member_object(ast_, expression)), name);
  } else if (ast_.is_any(expression, call_expression, new_expression)) {
    const Callee callee = callee_of(ast_, expression);
    if (callee.object == 0 && (callee.name == "require" || ast_.text(callee.node) == "import")) {
      const std::string package = modules_.required(expression).package;
      if (!package.empty()) answer = package + ":";
    } else {
      answer = external(callee.node);
      if (!answer.empty()) answer += "()";
    }
  }
  if (answer.empty()) {
    const std::vector<NodeId> all = sources(expression);
    for (const NodeId source : all) {
      if (source != expression && answer.empty()) answer = external(source);
    }
  }
  if (answer.empty() && declaration != 0)
    answer = external_by_type(annotation_of(ast_, declaration));
  if (answer.empty() && member_object(ast_, expression) != 0) {
    const ClassMembers* members = classes_.members(instance(member_object(ast_, expression)));
    const auto name = member_name(ast_, expression);
    if (members != nullptr && members->field_types.contains(name))
      answer = external_by_type(members->field_types.at(name));
  }
  depth_--;
  return answer;
}

}  // namespace ebbtide
