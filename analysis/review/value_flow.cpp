// The half of Values that connects the program: arguments to parameters, listeners to what is
// emitted, values to the collections they are stored in.
#include "analysis/review/values.h"
#include "analysis/review/words.h"

namespace ebbtide {

namespace {
using enum SyntaxKind;
}  // namespace

// A function handed over as an argument is known once arguments are, and elements once the place
// they are stored in is: a second call sees what the first has found.
void Values::connect_calls() {
  forget_answers();
  bind_arguments();
  index_elements();
  forget_answers();
}

void Values::forget_answers() {
  sources_.clear();
  places_.clear();
  externals_.clear();
  holding_.clear();
}

void Values::find_stores() {
  for (NodeId node = 1; node < ast_.size(); node++) {
    if (ast_.is(node, call_expression)) {
      const Callee callee = callee_of(ast_, node);
      if (callee.object == 0) continue;
      const NodeId first = argument(ast_, node, 0), second = argument(ast_, node, 1);
      if (callee.name == "set" && second != 0)
        stores_.push_back({node, callee.object, first, second, "set"});
      else if (callee.name == "add" && first != 0)
        stores_.push_back({node, callee.object, 0, first, "add"});
      else if (one_of(callee.name, {"push", "unshift"}) && first != 0)
        stores_.push_back({node, callee.object, 0, first, callee.name});
    } else if (ast_.is_any(node, assignment_expression, augmented_assignment_expression)) {
      const NodeId left = unwrapped(ast_, ast_.child(node, Field::left));
      if (!ast_.is(left, subscript_expression) || !member_name(ast_, left).empty()) continue;
      stores_.push_back({node, ast_.child(left, Field::object), ast_.child(left, Field::index),
                         ast_.child(node, Field::right), "[]="});
    }
  }
}

// f.apply(this, arguments) passes on what the function around it is given; f.apply(this, [a, b]).
void Values::bind_all(NodeId function, NodeId given, ParameterValues& bound) {
  const std::vector<NodeId> patterns = parameters_of(ast_, function);
  std::vector<NodeId> values;
  if (ast_.text(given) == "arguments")
    values = parameters_of(ast_, function_above(ast_, given));
  else if (ast_.is(unwrapped(ast_, given), array))
    values = ast_.children(unwrapped(ast_, given));
  for (std::size_t i = 0; i < patterns.size() && i < values.size(); i++) {
    std::vector<NodeId>& known = bound[patterns[i]];
    if (known.size() < max_sources_) known.push_back(values[i]);
  }
}

void Values::bind_arguments() {
  ParameterValues arguments;
  std::unordered_map<NodeId, std::vector<NodeId>> calls, makings;
  const auto bind = [&](NodeId function, NodeId call, std::size_t skipped) {
    const std::vector<NodeId> patterns = parameters_of(ast_, function);
    const std::vector<NodeId> given = arguments_of(ast_, call);
    for (std::size_t i = 0; i < patterns.size() && i + skipped < given.size(); i++) {
      std::vector<NodeId>& bound = arguments[patterns[i]];
      if (bound.size() < max_sources_) bound.push_back(given[i + skipped]);
    }
  };
  for (const NodeId call : calls_) {
    if (ast_.is(call, new_expression)) {
      if (const NodeId made = instance(call)) makings[made].push_back(call);
    }
    const Callee callee = callee_of(ast_, call);
    const bool applies = callee.name == "apply" && callee.object != 0;
    for (const NodeId function : called(call)) {
      calls[function].push_back(call);
      if (applies)
        bind_all(function, argument(ast_, call, 1), arguments);
      else
        bind(function, call, callee.name == "call" ? 1 : 0);
    }
    if (callee.name == "bind" && callee.object != 0) {  // f.bind(this, first)
      for (const NodeId function : functions(callee.object)) bind(function, call, 1);
    } else if (callee.name == "emit" && callee.object != 0) {
      // wss.emit("connection", ws) hands its arguments to what wss.on("connection", …) was given.
      const std::string_view event = string_value(ast_, argument(ast_, call, 0));
      for (const NodeId function : listeners_of(callee.object, event)) bind(function, call, 1);
    }
  }
  arguments_ = std::move(arguments);
  calls_of_ = std::move(calls);
  makings_of_ = std::move(makings);
}

// `hub.add(ws)` of a class of the project is whatever its method does.
bool Values::runs_own_method(NodeId store) {
  return ast_.is(store, call_expression) && !called(store).empty();
}

void Values::index_elements() {
  std::map<Place, std::vector<NodeId>> elements;
  std::unordered_map<NodeId, Place> stored_in;
  for (const Store& store : stores_) {
    const Place at = place(store.receiver);
    if (!at.known() || runs_own_method(store.node)) continue;
    std::vector<NodeId>& values = elements[at];
    if (values.size() < max_sources_) values.push_back(store.value);
    for (const NodeId source : sources(store.value)) {
      if (ast_.is_any(source, new_expression, array, object)) stored_in.emplace(source, at);
    }
  }
  elements_ = std::move(elements);
  stored_in_ = std::move(stored_in);
}

std::vector<NodeId> Values::listeners_of(NodeId emitter, std::string_view event) {
  std::vector<NodeId> found;
  const auto listening = listening_.find(event);
  if (event.empty() || listening == listening_.end()) return found;
  const Place wanted = place(emitter);
  if (!wanted.known()) return found;
  for (const NodeId call : listening->second) {
    if (place(callee_of(ast_, call).object) != wanted) continue;
    const auto given = functions(argument(ast_, call, 1));
    found.insert(found.end(), given.begin(), given.end());
  }
  return found;
}

const std::vector<NodeId>& Values::calls_of(NodeId function) const {
  static const std::vector<NodeId> none;
  const auto found = calls_of_.find(function);
  return found == calls_of_.end() ? none : found->second;
}

const std::vector<NodeId>& Values::writes_of(std::string_view name) const {
  static const std::vector<NodeId> none;
  const auto found = writes_.find(name);
  return found == writes_.end() ? none : found->second;
}

const std::vector<NodeId>& Values::makings_of(NodeId class_node) const {
  static const std::vector<NodeId> none;
  const auto found = makings_of_.find(class_node);
  return found == makings_of_.end() ? none : found->second;
}

const std::vector<NodeId>& Values::elements(const Place& place) {
  static const std::vector<NodeId> none;
  const auto found = elements_.find(place);
  return found == elements_.end() ? none : found->second;
}

}  // namespace ebbtide
