// The half of Lifecycles that asks on what a release depends beside the end of the connection.
#include <fmt/format.h>

#include <algorithm>

#include "analysis/review/lifecycle.h"
#include "analysis/review/liveness.h"
#include "analysis/review/loops.h"
#include "analysis/review/words.h"

namespace ebbtide {
namespace {

using enum SyntaxKind;

}  // namespace

bool Lifecycles::find_condition(const Release& release, const Acquisition& acquisition,
                                ReleaseReview& review) {
  std::vector<NodeId> places = scope_.way_from_close(release.node);
  places.insert(places.begin(), release.node);
  for (const NodeId place : places) {
    for (const NodeId condition : conditions_of(ast_, place)) {
      if (asks_whether_there(condition, acquisition) ||
          (!depends_on_the_end(condition, release, acquisition) &&
           !depends_on_another(condition, place, acquisition)))
        continue;
      review.because = condition;
      review.problem = fmt::format("only depending on `{}`", brief(ast_, condition));
      return true;
    }
  }
  return false;
}

// if (users.has(id)) users.get(id).delete(ws): what is not there needs no release.
bool Lifecycles::asks_whether_there(NodeId condition, const Acquisition& acquisition) {
  NodeId tested = unwrapped(ast_, condition);
  if (ast_.is(tested, unary_expression))
    tested = unwrapped(ast_, ast_.child(tested, Field::argument));
  if (!ast_.is(tested, call_expression) || !acquisition.owner.known()) return false;
  const Callee callee = callee_of(ast_, tested);
  if (!one_of(callee.name, {"has", "get", "includes"}) || callee.object == 0) return false;
  const Place asked = values_.place(callee.object);
  return asked.root == acquisition.owner.root && acquisition.owner.path.starts_with(asked.path);
}

// What the acquisition asked for itself, or takes its key from, was there when it happened.
bool Lifecycles::is_implied_by(const Acquisition& acquisition, std::string_view atom) const {
  if (ast_.text(acquisition.key).find(atom) != std::string_view::npos ||
      ast_.text(acquisition.receiver).find(atom) != std::string_view::npos)
    return true;
  const auto conditions = conditions_of(ast_, acquisition.node);
  return std::any_of(conditions.begin(), conditions.end(), [&](NodeId condition) {
    return ast_.text(condition).find(atom) != std::string_view::npos;
  });
}

// A condition is harmless when the acquisition having happened implies it. It is not when it asks
// how the connection ended, or for something that only a later message sets.
bool Lifecycles::depends_on_the_end(NodeId condition, const Release& release,
                                    const Acquisition& acquisition) {
  if (tests_key(condition, release.key)) return false;
  bool depends = false;
  const auto look = [&](NodeId node) {
    if (depends || is_function(ast_, node)) return false;
    const std::string_view member = member_name(ast_, node);
    if (member == "readyState") {
      depends = asks_to_be_open(condition, member_object(ast_, node), acquisition);
      return false;
    }
    const bool name = ast_.is(node, identifier) && scopes_.declaration_of(node) != 0;
    if (name && tells_the_end(scopes_.declaration_of(node))) depends = true;
    if ((name || ast_.is(node, member_expression)) && is_set_apart_from(node, acquisition))
      depends = true;
    return !depends;
  };
  if (look(condition)) walk(ast_, condition, look);
  return depends;
}

// if (ws.userId) users.delete(ws.userId)
bool Lifecycles::tests_key(NodeId condition, NodeId key) const {
  const std::string_view wanted = ast_.text(unwrapped(ast_, key));
  bool found = false;
  const auto look = [&](NodeId node) {
    const bool part_of_longer =
        ast_.is(ast_.parent(node), member_expression) && ast_[node].field == Field::object;
    found = found || (!wanted.empty() && ast_.text(node) == wanted && !part_of_longer);
    return !found;
  };
  if (look(condition)) walk(ast_, condition, look);
  return found;
}

// `if (socket.readyState === OPEN) socket.close()`: one that is still connecting is left.
bool Lifecycles::asks_to_be_open(NodeId condition, NodeId object, const Acquisition& acquisition) {
  const std::string_view text = ast_.text(condition);
  const auto says = [&](std::string_view word) {
    return text.find(word) != std::string_view::npos;
  };
  if (!says("OPEN") || says("CONNECTING") || says("!=")) return false;
  return values_.is_connection(object) || (acquisition.kind == AcquisitionKind::handle &&
                                           holds(values_.sources(object), acquisition.node));
}

// A parameter of the close listener itself: the code, the reason.
bool Lifecycles::tells_the_end(NodeId declaration) {
  const Binding& binding = scopes_.binding(declaration);
  if (binding.kind != BindingKind::parameter || values_.is_connection(declaration)) return false;
  if (values_.sources(declaration) != std::vector<NodeId>{declaration}) return false;
  return std::any_of(scope_.listeners().begin(), scope_.listeners().end(),
                     [&](const ConnectionListener& listener) {
                       return listener.moments == moment::close &&
                              holds(listener.functions, binding.scope);
                     });
}

// `if (!matches.size) return;` before something that has nothing to do with the matches.
bool Lifecycles::depends_on_another(NodeId condition, NodeId place,
                                    const Acquisition& acquisition) {
  NodeId tested = unwrapped(ast_, condition);
  if (ast_.is(tested, unary_expression))
    tested = unwrapped(ast_, ast_.child(tested, Field::argument));
  if (!one_of(member_name(ast_, tested), {"size", "length"})) return false;
  const Place other = values_.place(member_object(ast_, tested));
  if (!other.known() || other == acquisition.owner || !acquisition.owner.known()) return false;
  const bool around =
      other.root == acquisition.owner.root && (other.path.starts_with(acquisition.owner.path) ||
                                               acquisition.owner.path.starts_with(other.path));
  if (around) return false;
  const auto loops = loops_around(ast_, place);
  return std::none_of(loops.begin(), loops.end(),
                      [&](NodeId loop) { return values_.place(looped_over(ast_, loop)) == other; });
}

// A field or variable of the connection that is given a value, but never where the acquisition
// happens or before it: having acquired says nothing of it.
bool Lifecycles::is_set_apart_from(NodeId atom, const Acquisition& acquisition) {
  const Place place = values_.place(atom);
  if (!place.known() || place == acquisition.owner || is_implied_by(acquisition, ast_.text(atom)))
    return false;
  const std::string_view member = member_name(ast_, atom);
  std::vector<NodeId> writes;
  if (!member.empty()) {
    const bool of_connection =
        place.root == connection_root || is_connection_or_record(member_object(ast_, atom));
    if (!of_connection || values_.is_connection(atom)) return false;
    writes = values_.writes_of(member);
  } else {
    const Binding& binding = scopes_.binding(scopes_.declaration_of(atom));
    if (binding.kind != BindingKind::variable || !scope_.is_local(scopes_.declaration_of(atom)) ||
        !is_blank(binding.value))
      return false;
    writes = binding.assigned;
  }
  bool given = false;
  const NodeId function = function_above(ast_, acquisition.node);
  for (const NodeId write : writes) {
    const bool whole = ast_.is_any(write, assignment_expression, augmented_assignment_expression);
    if (is_blank(whole ? ast_.child(write, Field::right) : write)) continue;
    given = true;
    const NodeId writer = function_above(ast_, write);
    if (writer == function || ast_.contains(writer, acquisition.node)) return false;
    if ((scope_.moments(write) & (moment::message | moment::later)) == 0) return false;
  }
  return given;
}

bool Lifecycles::is_blank(NodeId value) const {
  value = unwrapped(ast_, value);
  return value == 0 || ast_.is_any(value, null_, undefined, false_) ||
         one_of(ast_.text(value), {"undefined", "''", "\"\"", "0"});
}

}  // namespace ebbtide
