// The half of Values that asks whose instance a value is, what its members are and which functions
// a call runs.
#include <algorithm>
#include <array>

#include "analysis/review/values.h"
#include "analysis/review/words.h"

namespace ebbtide {
namespace {

using enum SyntaxKind;

constexpr std::size_t max_namesakes = 3;

}  // namespace

std::vector<NodeId> Values::property(NodeId source, std::string_view name) {
  if (ast_.is(source, program)) {
    const NodeId value = modules_.exported(source, name);
    return value == 0 ? std::vector<NodeId>() : std::vector<NodeId>{value};
  }
  std::vector<NodeId> values;
  std::vector<NodeId> open{ast_.is_any(source, new_expression, this_, super_) ? instance(source)
                                                                              : source};
  const auto below = derived_.find(open.front());
  if (ast_.is(source, this_) && below != derived_.end()) {
    const bool only_base =
        makings_of(open.front()).empty() &&
        std::all_of(below->second.begin(), below->second.end(),
                    [&](NodeId each) { return classes_.members(each)->methods.contains(name); });
    if (only_base) open.clear();  // each subclass has its own, and there are no other instances
    open.insert(open.end(), below->second.begin(), below->second.end());
  }
  for (std::size_t i = 0; i < open.size() && i < max_sources_; i++) {
    const ClassMembers* members = classes_.members(open[i]);
    if (members == nullptr) continue;
    const auto method = members->methods.find(name);
    const auto field = members->fields.find(name);
    const auto parameter = members->field_parameters.find(name);
    if (method != members->methods.end()) {
      if (ast_.has_keyword(method->second, "get")) {
        const auto results = returned(method->second);
        values.insert(values.end(), results.begin(), results.end());
      } else {
        values.push_back(method->second);
      }
    }
    if (field != members->fields.end())
      values.insert(values.end(), field->second.begin(), field->second.end());
    if (parameter != members->field_parameters.end()) values.push_back(parameter->second);
    if (members->heritage != 0 && values.empty()) open.push_back(instance(members->heritage));
  }
  if (const auto connection = connections_.find(source);
      connection != connections_.end() && holds(connection->second, name))
    values.push_back(source);
  // `socket.user = …` written from outside, on whatever is the same object.
  const auto writes = writes_.find(name);
  if (writes == writes_.end() || writes->second.size() > max_sources_) return values;
  const bool of_connection = connections_.contains(source);
  for (const NodeId write : writes->second) {
    const NodeId object = member_object(ast_, ast_.child(write, Field::left));
    if (ast_.is(unwrapped(ast_, object), this_)) continue;  // a field, seen above
    const std::vector<NodeId>& owners = sources(object);
    const bool same = std::find(owners.begin(), owners.end(), source) != owners.end();
    if (same || (of_connection && is_connection(object)))
      values.push_back(ast_.child(write, Field::right));
  }
  return values;
}

std::vector<NodeId> Values::returned(NodeId function) {
  std::vector<NodeId> values;
  const NodeId body = ast_.child(function, Field::body);
  if (body == 0) return values;
  if (!ast_.is(body, statement_block)) return {body};
  walk(ast_, body, [&](NodeId node) {
    if (ast_.is(node, return_statement) && ast_.first_child(node) != 0 &&
        values.size() < max_sources_)
      values.push_back(ast_.first_child(node));
    return !is_function(ast_, node) && !is_class(ast_, node);
  });
  return values;
}

std::vector<NodeId> Values::functions(NodeId expression) {
  std::vector<NodeId> found;
  for (const NodeId source : sources(expression)) {
    if (is_function(ast_, source)) found.push_back(source);
  }
  return found;
}

std::vector<NodeId> Values::called(NodeId call) {
  const Callee callee = callee_of(ast_, call);
  if (ast_.is(call, new_expression)) {
    std::vector<NodeId> found;
    NodeId made = 0;
    for (const NodeId source : sources(callee.node)) {
      if (classes_.members(source) != nullptr || is_function(ast_, source)) made = source;
    }
    for (int levels = 0; made != 0 && levels < 8; levels++) {
      if (is_function(ast_, made)) return {made};
      const ClassMembers* members = classes_.members(made);
      if (members == nullptr) break;
      if (const auto own = members->methods.find("constructor"); own != members->methods.end())
        return {own->second};
      made = instance(members->heritage);
    }
    return found;
  }
  if (ast_.is(callee.node, super_)) {
    const ClassMembers* members = classes_.members(class_above(ast_, call));
    const ClassMembers* base =
        members == nullptr ? nullptr : classes_.members(instance(members->heritage));
    if (base == nullptr || !base->methods.contains("constructor")) return {};
    return {base->methods.at("constructor")};
  }
  if (one_of(callee.name, {"call", "apply"}) && callee.object != 0) {
    if (auto run = functions(callee.object); !run.empty()) return run;
  }
  std::vector<NodeId> found = functions(callee.node);
  if (!found.empty() || callee.object == 0 || is_connection(callee.object)) return found;
  static constexpr std::array<std::string_view, 30> common_names = {
      "get",  "set",   "add",  "delete", "has",  "push",  "on",    "once",    "off",   "emit",
      "send", "close", "then", "catch",  "map",  "find",  "clear", "forEach", "end",   "write",
      "log",  "error", "info", "warn",   "call", "apply", "join",  "filter",  "slice", "parse"};
  const bool common = holds(common_names, callee.name);
  const std::vector<NodeId>& namesakes = classes_.methods_named(callee.name);
  if (common || namesakes.size() > max_namesakes || !external(callee.object).empty()) return {};
  return namesakes;
}

NodeId Values::instance(NodeId expression) {
  for (const NodeId source : sources(expression)) {
    if (ast_.is(source, this_)) {
      if (const NodeId owner = classes_.this_class(source)) return owner;
    } else if (ast_.is(source, super_)) {
      const ClassMembers* members = classes_.members(class_above(ast_, source));
      return members == nullptr ? 0 : instance(members->heritage);
    } else if (ast_.is(source, new_expression)) {
      for (const NodeId made : sources(callee_of(ast_, source).node)) {
        if (classes_.members(made) != nullptr) return made;
      }
    } else if (classes_.members(source) != nullptr) {
      return source;
    }
  }
  return 0;
}

}  // namespace ebbtide
