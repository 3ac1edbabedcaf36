#include "analysis/review/acquisitions.h"

#include "analysis/review/words.h"

namespace ebbtide {
namespace {

using enum SyntaxKind;

bool is_nothing(const Ast& ast, NodeId value) {
  value = unwrapped(ast, value);
  return ast.is_any(value, null_, undefined) || ast.text(value) == "undefined";
}

class AcquisitionFinder {
 public:
  AcquisitionFinder(const Ast& ast, const Scopes& scopes, Values& values)
      : ast_(ast), scopes_(scopes), values_(values) {}

  Acquisitions run() {
    for (const Store& store : values_.stores()) look_at_store(store);
    for (NodeId node = 1; node < ast_.size(); node++) {
      if (ast_.is(node, call_expression)) look_at_call(node);
      if (ast_.is(node, new_expression)) look_at_handle(node);
      if (ast_.is(node, assignment_expression)) look_at_assignment(node);
      if (ast_.is(node, unary_expression)) look_at_delete(node);
    }
    find_handle_releases();
    return std::move(found_);
  }

 private:
  void look_at_store(const Store& store) {
    const Place owner = values_.place(store.receiver);
    if (store.verb == "[]=" || store.verb == "set") {
      if (is_nothing(ast_, store.value))
        return remove(store.node, owner, store.receiver, store.key, RemovalVerb::one);
      const NodeId value = unwrapped(ast_, store.value);
      if (ast_.is(value, call_expression) && callee_of(ast_, value).name == "filter") {
        const NodeId filtered = callee_of(ast_, value).object;
        return remove(store.node, values_.place(filtered), filtered, 0, RemovalVerb::filter);
      }
    }
    if (!owner.known() || values_.runs_own_method(store.node)) return;
    found_.acquired.push_back({.kind = AcquisitionKind::entry,
                               .node = store.node,
                               .owner = owner,
                               .receiver = store.receiver,
                               .key = store.key,
                               .value = store.value,
                               .verb = store.verb});
    if (!is_container(ast_, store.value) || is_empty_container(ast_, store.value)) return;
    // new Set([first]) also is the first entry of the new container.
    const NodeId made = unwrapped(ast_, store.value);
    const NodeId list = ast_.is(made, array) ? made : unwrapped(ast_, argument(ast_, made, 0));
    if (ast_.is(list, array) && !owner.path.ends_with("[][]"))
      found_.acquired.push_back({.kind = AcquisitionKind::entry,
                                 .node = store.node,
                                 .owner = {owner.root, owner.path + "[]"},
                                 .receiver = store.receiver,
                                 .value = ast_.first_child(list),
                                 .verb = "add"});
  }

  void look_at_call(NodeId call) {
    look_at_handle(call);
    const Callee callee = callee_of(ast_, call);
    if (callee.object == 0) return;
    const NodeId first = argument(ast_, call, 0);
    if (callee.name == "delete")
      remove(call, values_.place(callee.object), callee.object, first, RemovalVerb::one);
    else if (callee.name == "clear")
      remove(call, values_.place(callee.object), callee.object, 0, RemovalVerb::all);
    else if (callee.name == "splice")
      remove(call, values_.place(callee.object), callee.object, first, RemovalVerb::splice);
    else if (one_of(callee.name, {"pop", "shift"}))
      remove(call, values_.place(callee.object), callee.object, 0, RemovalVerb::shift);
    else if (one_of(callee.name, {"remove", "pull", "without"}) && first != 0 &&
             values_.called(call).empty())
      remove(call, values_.place(first), first, argument(ast_, call, 1), RemovalVerb::filter);
    else if (is_listener_adder(callee.name) || callee.name == "subscribe")
      look_at_listener(call, callee);
    else if (is_listener_remover(callee.name) || callee.name == "unsubscribe")
      found_.released.push_back(
          {.kind = AcquisitionKind::listener,
           .node = call,
           .owner = values_.place(callee.object),
           .receiver = callee.object,
           .key = argument(ast_, call, 1),
           .verb = argument(ast_, call, 1) == 0 ? RemovalVerb::all : RemovalVerb::one,
           .event = string_value(ast_, first)});
  }

  void look_at_listener(NodeId call, const Callee& callee) {
    if (values_.is_connection(callee.object) || !values_.called(call).empty()) return;
    const NodeId handler = argument(ast_, call, 1);
    if (handler == 0) return;
    bool bounded = false;
    walk(ast_, argument(ast_, call, 2), [&](NodeId node) {
      bounded = bounded || one_of(ast_.text(node), {"signal", "once"});
      return true;
    });
    found_.acquired.push_back({.kind = AcquisitionKind::listener,
                               .node = call,
                               .owner = values_.place(callee.object),
                               .receiver = callee.object,
                               .value = handler,
                               .verb = callee.name,
                               .event = string_value(ast_, argument(ast_, call, 0)),
                               .bounded = bounded});
  }

  void look_at_handle(NodeId node) {
    const Callee callee = callee_of(ast_, node);
    const HandleFacts* facts = nullptr;
    if (callee.object == 0 && scopes_.declaration_of(callee.node) == 0) {
      facts = handle_facts(callee.name);
      if (facts == nullptr) facts = handle_facts(std::string(callee.name) + "()");
    } else {
      facts = handle_facts(values_.external(callee.node) + "()");
    }
    if (facts != nullptr && callee.name == "setTimeout" && !arms_itself_again(node)) return;
    if (facts == nullptr && callee.name == "subscribe" && is_observable(callee.object))
      facts = handle_facts("rxjs:Subject().subscribe()");
    if (facts == nullptr) return;
    bool bounded = false;
    walk(ast_, node, [&](NodeId part) {
      const bool name =
          ast_.is_any(part, identifier, property_identifier, shorthand_property_identifier);
      bounded =
          bounded || (name && one_of(ast_.text(part), {"takeUntil", "takeWhile", "take", "first",
                                                       "takeUntilDestroyed", "signal"}));
      return !is_function(ast_, part);
    });
    const NodeId slot = slot_of(ast_, node);
    bounded = bounded || ast_.has_keyword(ast_.parent(ast_.parent(slot)), "using");
    found_.acquired.push_back({.kind = AcquisitionKind::handle,
                               .node = node,
                               .owner = slot == 0 ? Place{} : values_.place(slot),
                               .receiver = slot,
                               .verb = callee.name,
                               .facts = facts,
                               .bounded = bounded});
  }

  // A timeout whose own callback sets it up again is an interval.
  bool arms_itself_again(NodeId node) {
    for (const NodeId function : values_.functions(argument(ast_, node, 0))) {
      if (ast_.contains(function, node)) return true;
    }
    return false;
  }

  // What rxjs makes, what is typed so, or what is named like it: alarms$.pipe(…).subscribe(…).
  bool is_observable(NodeId object) {
    NodeId at = object;
    for (int links = 0; links < 20 && at != 0; links++) {
      if (values_.external(at).starts_with("rxjs")) return true;
      if (member_name(ast_, at).ends_with("$") || ast_.text(at).ends_with("$")) return true;
      at = unwrapped(ast_, at);
      if (!ast_.is(at, call_expression)) return false;
      at = callee_of(ast_, at).object;
    }
    return false;
  }

  void look_at_assignment(NodeId node) {
    const NodeId left = unwrapped(ast_, ast_.child(node, Field::left));
    const NodeId right = unwrapped(ast_, ast_.child(node, Field::right));
    if (member_name(ast_, left) == "length" && ast_.text(right) == "0") {
      const NodeId owner = member_object(ast_, left);
      return remove(node, values_.place(owner), owner, 0, RemovalVerb::all);
    }
    if (ast_.is(left, subscript_expression) && member_name(ast_, left).empty()) return;  // a store
    if (is_empty_container(ast_, right))
      remove(node, values_.place(left), left, 0, RemovalVerb::all);
    else if (copies_without(right, left))
      remove(node, values_.place(left), left, 0, RemovalVerb::filter);
  }

  // users = users.filter(…), or a copy made with such a filter inside.
  bool copies_without(NodeId right, NodeId left) {
    const Place place = values_.place(left);
    bool copies = false;
    const auto look = [&](NodeId node) {
      const bool shortens =
          ast_.is(node, call_expression) && one_of(callee_of(ast_, node).name, {"filter", "slice"});
      copies = copies || (shortens && values_.place(callee_of(ast_, node).object) == place);
      return !copies;
    };
    if (place.known() && look(right)) walk(ast_, right, look);
    return copies;
  }

  void look_at_delete(NodeId node) {
    const NodeId what = unwrapped(ast_, ast_.child(node, Field::argument));
    if (ast_.text(ast_.child(node, Field::operator_)) != "delete") return;
    if (!ast_.is(what, subscript_expression)) return;
    const NodeId owner = ast_.child(what, Field::object);
    remove(node, values_.place(owner), owner, ast_.child(what, Field::index), RemovalVerb::one);
  }

  void remove(NodeId node, Place owner, NodeId receiver, NodeId key, RemovalVerb verb) {
    // `room.members.delete(ws)` of a room that came from nowhere known still names a field.
    if (!owner.known()) owner.path = "." + std::string(member_name(ast_, receiver));
    if (!owner.known() && owner.path == ".") return;
    found_.released.push_back({.kind = AcquisitionKind::entry,
                               .node = node,
                               .owner = owner,
                               .receiver = receiver,
                               .key = key,
                               .verb = verb});
  }

  // A release names a handle when the acquiring expression is among what the name can be.
  void find_handle_releases() {
    std::vector<Release> releases;
    for (NodeId call = 1; call < ast_.size(); call++) {
      if (!ast_.is(call, call_expression)) continue;
      const Callee callee = callee_of(ast_, call);
      for (const Acquisition& handle : found_.acquired) {
        if (handle.kind != AcquisitionKind::handle) continue;
        const NodeId released = released_by(call, callee, handle);
        if (released == 0 || !holds(values_.sources(released), handle.node)) continue;
        releases.push_back({.kind = AcquisitionKind::handle,
                            .node = call,
                            .receiver = released,
                            .handle = handle.node});
      }
    }
    found_.released.insert(found_.released.end(), releases.begin(), releases.end());
  }

  NodeId released_by(NodeId call, const Callee& callee, const Acquisition& handle) {
    const HandleFacts& facts = *handle.facts;
    if (callee.object == 0 && holds(facts.release_functions, callee.name))
      return argument(ast_, call, 0);
    if (callee.object != 0 && holds(facts.release_methods, callee.name)) return callee.object;
    if (callee.object != 0 && callee.name.starts_with("Symbol.")) return callee.object;
    if (callee.name == "pipeline") {  // destroys all of its streams, however it ends
      for (const NodeId given : arguments_of(ast_, call)) {
        if (holds(values_.sources(given), handle.node)) return given;
      }
    }
    return facts.returns_disposer && callee.object == 0 ? callee.node : 0;
  }

  const Ast& ast_;
  const Scopes& scopes_;
  Values& values_;
  Acquisitions found_;
};

// ".users" of ".rooms[].users"
std::string_view last_field(std::string_view path) {
  const auto dot = path.rfind('.');
  return dot == std::string_view::npos ? std::string_view() : path.substr(dot);
}

bool same_collection(const Place& removed, const Place& kept) {
  if (!removed.known() || !kept.known()) {
    const std::string_view field = last_field(removed.path);
    return !field.empty() && field == last_field(kept.path);
  }
  if (removed.root != kept.root || !kept.path.starts_with(removed.path)) return false;
  const std::string_view rest = std::string_view(kept.path).substr(removed.path.size());
  return rest.empty() || rest.starts_with("[]");
}

NodeId made_value(const Ast& ast, NodeId value) {
  value = unwrapped(ast, value);
  if (!ast.is(value, assignment_expression)) return value;
  return unwrapped(ast, ast.child(value, Field::right));
}

}  // namespace

NodeId slot_of(const Ast& ast, NodeId made) {
  NodeId at = made;
  while (ast.is_any(ast.parent(at), parenthesized_expression, await_expression, as_expression,
                    non_null_expression))
    at = ast.parent(at);
  const NodeId around = ast.parent(at);
  if (ast.is(around, variable_declarator)) return ast.child(around, Field::name);
  if (ast.is_any(around, assignment_expression, augmented_assignment_expression) &&
      ast[at].field == Field::right)
    return ast.child(around, Field::left);
  return 0;
}

Acquisitions find_acquisitions(const Ast& ast, const Scopes& scopes, Values& values) {
  return AcquisitionFinder(ast, scopes, values).run();
}

bool answers(const Release& release, const Acquisition& acquisition) {
  if (release.kind != acquisition.kind) return false;
  switch (release.kind) {
    case AcquisitionKind::handle:
      return release.handle == acquisition.node;
    case AcquisitionKind::listener:
      return release.owner.known() && release.owner == acquisition.owner &&
             (release.event.empty() || release.event == acquisition.event);
    case AcquisitionKind::entry:
      break;
  }
  return release.node != acquisition.node && same_collection(release.owner, acquisition.owner);
}

bool is_container(const Ast& ast, NodeId value) {
  value = made_value(ast, value);
  if (ast.is(value, array)) return true;
  if (ast.is(value, object)) return ast.first_child(value) == 0;
  return ast.is(value, new_expression) &&
         one_of(callee_of(ast, value).name, {"Map", "Set", "Array"});
}

bool is_empty_container(const Ast& ast, NodeId value) {
  value = made_value(ast, value);
  if (!is_container(ast, value)) return false;
  return ast.is(value, new_expression) ? arguments_of(ast, value).empty()
                                       : ast.first_child(value) == 0;
}

}  // namespace ebbtide
