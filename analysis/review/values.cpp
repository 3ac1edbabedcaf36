#include "analysis/review/values.h"

#include <algorithm>

#include "analysis/review/words.h"

namespace ebbtide {
namespace {

using enum SyntaxKind;

constexpr std::size_t max_steps = 200;  // expressions looked at for one question

bool is_element_getter(std::string_view name) {
  return one_of(name, {"get", "find", "findLast", "at", "pop", "shift"});
}

// Methods whose callback sees the elements of what they are called on.
bool visits_elements(std::string_view name) {
  return one_of(name, {"forEach", "map", "filter", "some", "every", "find", "findIndex", "flatMap",
                       "findLast"});
}

}  // namespace

Values::Values(const Ast& ast, const Scopes& scopes, const Classes& classes, const Modules& modules)
    : ast_(ast), scopes_(scopes), classes_(classes), modules_(modules) {
  for (NodeId node = 1; node < ast.size(); node++) {
    if (ast.is_any(node, call_expression, new_expression)) calls_.push_back(node);
    if (ast.is(node, call_expression)) index_call(node);
    if (ast.is(node, identifier) && scopes.declaration_of(node) == 0)
      globals_.emplace(ast.text(node), node);
    if (!ast.is_any(node, assignment_expression, augmented_assignment_expression)) continue;
    const std::string_view name = member_name(ast, ast.child(node, Field::left));
    if (!name.empty()) writes_[name].push_back(node);
  }
  find_stores();
  for (const auto& [node, members] : classes.all()) {
    const NodeId base = instance(members.heritage);
    if (base != 0) derived_[base].push_back(node);
  }
  for (auto& [base, classes_below] : derived_)
    std::sort(classes_below.begin(), classes_below.end());
  sources_.clear();
}

void Values::index_call(NodeId call) {
  const Callee callee = callee_of(ast_, call);
  const NodeId first = argument(ast_, call, 0);
  if (callee.name == "upgrade" && ast_.is(unwrapped(ast_, first), object))
    user_data_.push_back(first);
  if (callee.object != 0 && one_of(callee.name, {"on", "addListener", "once"}))
    listening_[string_value(ast_, first)].push_back(call);
}

const std::vector<NodeId>& Values::sources(NodeId expression) {
  static const std::vector<NodeId> none;
  if (expression == 0 || depth_ > max_depth_) return none;
  const auto [cached, fresh] = sources_.try_emplace(expression);
  std::vector<NodeId>& answer = cached->second;
  if (!fresh) return answer;
  depth_++;
  std::vector<NodeId> open{expression}, seen, found;
  while (!open.empty() && seen.size() < max_steps && found.size() < max_sources_) {
    const NodeId at = unwrapped(ast_, open.back());
    open.pop_back();
    if (at == 0 || std::find(seen.begin(), seen.end(), at) != seen.end()) continue;
    seen.push_back(at);
    expand(at, open, found);
  }
  depth_--;
  std::sort(found.begin(), found.end());
  found.erase(std::unique(found.begin(), found.end()), found.end());
  answer = std::move(found);
  return answer;
}

// One step: either `at` is an answer, or what it may be takes its place.
void Values::expand(NodeId at, std::vector<NodeId>& open, std::vector<NodeId>& found) {
  switch (ast_.kind(at)) {
    case identifier:
    case shorthand_property_identifier:
    case shorthand_property_identifier_pattern:
    case type_identifier:
      return expand_name(at, open, found);
    case member_expression:
    case subscript_expression:
      return expand_member(at, open, found);
    case call_expression:
      return expand_call(at, open, found);
    case ternary_expression:
      open.push_back(ast_.child(at, Field::consequence));
      open.push_back(ast_.child(at, Field::alternative));
      return;
    case binary_expression: {
      const std::string_view op = ast_.text(ast_.child(at, Field::operator_));
      if (op == "||" || op == "??") open.push_back(ast_.child(at, Field::left));
      if (op == "||" || op == "??" || op == "&&")
        open.push_back(ast_.child(at, Field::right));
      else
        found.push_back(at);
      return;
    }
    case assignment_expression:
    case augmented_assignment_expression:
      open.push_back(ast_.child(at, Field::right));
      return;
    case sequence_expression: {
      const auto parts = ast_.children(at);
      if (!parts.empty()) open.push_back(parts.back());
      return;
    }
    default:
      found.push_back(at);
  }
}

void Values::expand_name(NodeId name, std::vector<NodeId>& open, std::vector<NodeId>& found) {
  const NodeId declaration = scopes_.declaration_of(name);
  if (declaration == 0 || connections_.contains(declaration)) {
    found.push_back(declaration == 0 ? name : declaration);
    return;
  }
  const Binding& binding = scopes_.binding(declaration);
  const std::size_t before = open.size();
  switch (binding.kind) {
    case BindingKind::function:
    case BindingKind::type_or_class:
      found.push_back(binding.value);
      return;
    case BindingKind::import: {
      const ImportTarget target = modules_.imported(declaration);
      if (target.node != 0) open.push_back(target.node);
      break;
    }
    case BindingKind::parameter:
      expand_parameter(declaration, open, found);
      return;
    case BindingKind::loop: {
      if (member_name(ast_, binding.value) == "clients") {
        add_connections(found);
        return;
      }
      expand_loop(binding, open);
      break;
    }
    case BindingKind::variable:
      if (binding.path.empty() && binding.value != 0) open.push_back(binding.value);
      if (!binding.path.empty()) follow_path(binding.value, binding.path, open);
      open.insert(open.end(), binding.assigned.begin(), binding.assigned.end());
      break;
    case BindingKind::caught:
      break;
  }
  if (open.size() == before) found.push_back(declaration);
}

void Values::add_connections(std::vector<NodeId>& found) const {
  for (const auto& [declaration, members] : connections_) found.push_back(declaration);
}

void Values::expand_loop(const Binding& binding, std::vector<NodeId>& open) {
  const auto add = [&](NodeId element, bool whole) {
    if (whole)
      open.push_back(element);
    else
      follow_path(element, binding.path, open);
  };
  // for (const [from, to] of [[a, b], [b, a]])
  const std::vector<NodeId> iterated = sources(binding.value);
  for (const NodeId source : iterated) {
    if (!ast_.is(source, array)) continue;
    for (const NodeId element : ast_.children(source)) add(element, binding.path.empty());
  }
  // for (const [name, value] of Object.entries(handlers))
  const NodeId call = unwrapped(ast_, binding.value);
  if (ast_.is(call, call_expression) && ast_.text(callee_of(ast_, call).object) == "Object") {
    const ClassMembers* members = classes_.members(instance(argument(ast_, call, 0)));
    if (members != nullptr && binding.path != "[0]") {
      for (const auto& [name, method] : members->methods) open.push_back(method);
    }
  }
  // for (const [key, value] of map): the value is the element.
  if (binding.path == "[0]") return;
  for (const NodeId element : elements(place(binding.value)))
    add(element, binding.path.empty() || binding.path == "[1]");
}

NodeId Values::pattern_of_parameter(NodeId declaration) const {
  for (const NodeId pattern : parameters_of(ast_, scopes_.binding(declaration).scope)) {
    if (ast_.contains(pattern, declaration)) return pattern;
  }
  return 0;
}

void Values::expand_parameter(NodeId declaration, std::vector<NodeId>& open,
                              std::vector<NodeId>& found) {
  const Binding& binding = scopes_.binding(declaration);
  const NodeId pattern = pattern_of_parameter(declaration);
  const std::size_t before = open.size();
  if (const auto bound = arguments_.find(pattern); bound != arguments_.end()) {
    for (const NodeId value : bound->second) {
      if (binding.path.empty())
        open.push_back(value);
      else
        follow_path(value, binding.path, open);
    }
  }
  // clients.forEach((client) => …)
  const NodeId call = ast_.parent(ast_.parent(binding.scope));
  const std::vector<NodeId> patterns = parameters_of(ast_, binding.scope);
  if (ast_.is(call, call_expression) && !patterns.empty() && patterns.front() == pattern) {
    const Callee callee = callee_of(ast_, call);
    if (callee.name == "then" && binding.path.empty()) open.push_back(callee.object);
    if (callee.object != 0 && visits_elements(callee.name)) {
      if (member_name(ast_, callee.object) == "clients") add_connections(found);
      for (const NodeId element : elements(place(callee.object))) {
        if (binding.path.empty() || binding.path == "[1]")
          open.push_back(element);
        else
          follow_path(element, binding.path, open);
      }
    }
  }
  if (open.size() == before) found.push_back(declaration);
}

void Values::expand_call(NodeId call, std::vector<NodeId>& open, std::vector<NodeId>& found) {
  const Callee callee = callee_of(ast_, call);
  if (callee.object == 0 && (callee.name == "require" || ast_.text(callee.node) == "import")) {
    const NodeId file = modules_.required(call).node;
    const NodeId whole = file == 0 ? 0 : modules_.exported(file, "default");
    if (whole != 0)
      open.push_back(whole);
    else
      found.push_back(file == 0 ? call : file);
    return;
  }
  if (ast_.text(callee.node) == "import") {
    found.push_back(call);
    return;
  }
  if (callee.name == "bind" && callee.object != 0) {
    open.push_back(callee.object);
    return;
  }
  if (callee.object != 0 && ast_.text(callee.object) == "Object" &&
      one_of(callee.name, {"freeze", "assign", "seal"})) {
    for (const NodeId each : arguments_of(ast_, call)) open.push_back(each);
    return;
  }
  // A find() without a function asks a database.
  const bool asks =
      one_of(callee.name, {"find", "findLast"}) && functions(argument(ast_, call, 0)).empty();
  if (callee.object != 0 && is_element_getter(callee.name) && !asks) {
    const auto& stored = elements(place(callee.object));
    if (!stored.empty()) {
      open.insert(open.end(), stored.begin(), stored.end());
      return;
    }
  }
  const std::size_t before = open.size();
  if (callee.name == "getUserData" && callee.object != 0)  // what res.upgrade() was given
    open.insert(open.end(), user_data_.begin(), user_data_.end());
  for (const NodeId function : called(call)) {
    for (const NodeId value : returned(function)) open.push_back(value);
  }
  if (open.size() == before) found.push_back(call);
}

// `arguments[1]` of a function is its second parameter; 0 of anything else.
NodeId Values::parameter_by_index(NodeId expression) const {
  if (ast_.text(ast_.child(expression, Field::object)) != "arguments") return 0;
  const std::string_view index = ast_.text(ast_.child(expression, Field::index));
  if (index.size() != 1 || index < "0" || index > "9") return 0;
  NodeId function = function_above(ast_, expression);
  while (ast_.is(function, arrow_function)) function = function_above(ast_, function);
  const std::vector<NodeId> patterns = parameters_of(ast_, function);
  const auto place = static_cast<std::size_t>(index[0] - '0');
  return place < patterns.size() ? patterns[place] : 0;
}

void Values::expand_member(NodeId expression, std::vector<NodeId>& open,
                           std::vector<NodeId>& found) {
  const std::string_view name = member_name(ast_, expression);
  const std::size_t before = open.size();
  if (const NodeId parameter = parameter_by_index(expression); parameter != 0)
    open.push_back(parameter);
  if (name.empty()) {
    const auto& stored = elements(place(ast_.child(expression, Field::object)));
    open.insert(open.end(), stored.begin(), stored.end());
  } else {
    const std::vector<NodeId> objects = sources(member_object(ast_, expression));
    for (const NodeId object : objects) {
      const auto values = property(object, name);
      open.insert(open.end(), values.begin(), values.end());
    }
  }
  if (open.size() == before && !name.empty()) {
    // Written under the same way elsewhere: client.data.timer = …
    const std::vector<NodeId>& writes = writes_of(name);
    const Place here = writes.size() > max_sources_ ? Place{} : place(expression);
    for (const NodeId write : writes) {
      if (here.known() && place(ast_.child(write, Field::left)) == here)
        open.push_back(ast_.child(write, Field::right));
    }
  }
  if (open.size() == before) found.push_back(expression);
}

void Values::follow_path(NodeId value, std::string_view path, std::vector<NodeId>& open) {
  std::vector<NodeId> now{value};
  while (!path.empty() && !now.empty()) {
    const std::size_t next = std::min(path.find_first_of(".[", 1), path.size());
    const std::string_view part = path.substr(0, next);
    path.remove_prefix(next);
    std::vector<NodeId> after;
    for (const NodeId each : now) {
      if (part.starts_with("[")) {
        const std::vector<NodeId> literals = sources(each);
        for (const NodeId source : literals) {  // of an array literal, the one that is meant
          const auto parts = ast_.is(source, array) ? ast_.children(source) : std::vector<NodeId>();
          const std::size_t index = part.size() == 3 ? static_cast<std::size_t>(part[1] - '0') : 0;
          if (index < parts.size()) after.push_back(parts[index]);
        }
        const auto& stored = elements(place(each));
        after.insert(after.end(), stored.begin(), stored.end());
        continue;
      }
      const std::vector<NodeId> objects = sources(each);
      for (const NodeId object : objects) {
        const auto values = property(object, part.substr(1));
        after.insert(after.end(), values.begin(), values.end());
      }
    }
    now = std::move(after);
    if (now.size() > max_sources_) now.resize(max_sources_);
  }
  open.insert(open.end(), now.begin(), now.end());
}

}  // namespace ebbtide
