#include "analysis/review/acquisitions.h"

#include <algorithm>

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
      if (is_nothing(ast_, store.value)) {
        remove(store.node, owner, store.receiver, store.key, RemovalVerb::remove_key);
        return;
      }
      const NodeId value = unwrapped(ast_, store.value);
      if (ast_.is(value, call_expression) && callee_of(ast_, value).name == "filter") {
        const NodeId filtered = callee_of(ast_, value).object;
        remove(store.node, values_.place(filtered), filtered, 0, RemovalVerb::filter);
        return;
      }
    }
    if (owner.path.empty() && !owner.known()) return;
    found_.tracked.push_back(
        {store.node, owner, store.receiver, store.key, store.value, store.verb});
  }

  void look_at_call(NodeId call) {
    look_at_handle(call);
    const Callee callee = callee_of(ast_, call);
    if (callee.object == 0) return;
    const NodeId first = argument(ast_, call, 0);
    if (callee.name == "delete")
      remove(call, values_.place(callee.object), callee.object, first, RemovalVerb::remove_key);
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
      look_at_subscription(call, callee);
    else if (is_listener_remover(callee.name) || callee.name == "unsubscribe")
      found_.unsubscriptions.push_back(
          {call, values_.place(callee.object), string_value(ast_, first), argument(ast_, call, 1)});
  }

  void look_at_subscription(NodeId call, const Callee& callee) {
    if (values_.is_connection(callee.object) || !values_.called(call).empty()) return;
    const NodeId handler = argument(ast_, call, 1);
    if (handler == 0) return;
    bool bounded = false;
    const NodeId options = unwrapped(ast_, argument(ast_, call, 2));
    walk(ast_, options, [&](NodeId node) {
      bounded = bounded || one_of(ast_.text(node), {"signal", "once"});
      return true;
    });
    found_.subscriptions.push_back({call, values_.place(callee.object), callee.object,
                                    string_value(ast_, argument(ast_, call, 0)), handler, bounded});
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
    if (facts != nullptr) found_.handles.push_back({node, facts});
  }

  void look_at_assignment(NodeId node) {
    const NodeId left = unwrapped(ast_, ast_.child(node, Field::left));
    const NodeId right = unwrapped(ast_, ast_.child(node, Field::right));
    if (member_name(ast_, left) == "length" && ast_.text(right) == "0") {
      const NodeId owner = member_object(ast_, left);
      remove(node, values_.place(owner), owner, 0, RemovalVerb::all);
      return;
    }
    if (ast_.is(left, subscript_expression) && member_name(ast_, left).empty()) return;  // a store
    const bool filtered =
        ast_.is(right, call_expression) && one_of(callee_of(ast_, right).name, {"filter", "slice"});
    if (filtered && values_.place(callee_of(ast_, right).object) == values_.place(left))
      remove(node, values_.place(left), left, 0, RemovalVerb::filter);
    else if (is_fresh_container(ast_, right))
      remove(node, values_.place(left), left, 0, RemovalVerb::all);
  }

  void look_at_delete(NodeId node) {
    const NodeId what = unwrapped(ast_, ast_.child(node, Field::argument));
    if (ast_.text(ast_.child(node, Field::operator_)) != "delete") return;
    if (!ast_.is(what, subscript_expression)) return;
    const NodeId owner = ast_.child(what, Field::object);
    remove(node, values_.place(owner), owner, ast_.child(what, Field::index),
           RemovalVerb::remove_key);
  }

  void remove(NodeId node, const Place& owner, NodeId receiver, NodeId key, RemovalVerb verb) {
    Place where = owner;
    // `room.members.delete(ws)` of a room that came from nowhere known still names a field.
    if (!where.known()) where.path = "." + std::string(member_name(ast_, receiver));
    if (where.known() || where.path != ".")
      found_.removals.push_back({node, where, receiver, key, verb});
  }

  // A release names a handle when the acquiring expression is among what the name can be.
  void find_handle_releases() {
    for (NodeId call = 1; call < ast_.size(); call++) {
      if (!ast_.is(call, call_expression)) continue;
      const Callee callee = callee_of(ast_, call);
      for (const Handle& handle : found_.handles) {
        const HandleFacts& facts = *handle.facts;
        const bool by_function =
            std::find(facts.release_functions.begin(), facts.release_functions.end(),
                      callee.name) != facts.release_functions.end();
        const bool by_method = std::find(facts.release_methods.begin(), facts.release_methods.end(),
                                         callee.name) != facts.release_methods.end();
        NodeId released = 0;
        if (by_function && callee.object == 0)
          released = argument(ast_, call, 0);
        else if (by_method)
          released = callee.object;
        else if (facts.returns_disposer && callee.object == 0)
          released = callee.node;
        if (released == 0) continue;
        const std::vector<NodeId>& sources = values_.sources(released);
        if (std::find(sources.begin(), sources.end(), handle.node) != sources.end())
          found_.handle_releases.push_back({call, handle.node});
      }
    }
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

}  // namespace

Acquisitions find_acquisitions(const Ast& ast, const Scopes& scopes, Values& values) {
  return AcquisitionFinder(ast, scopes, values).run();
}

bool may_remove(const Place& removed, const Place& kept) {
  if (!removed.known() || !kept.known()) {
    const std::string_view field = last_field(removed.path);
    return !field.empty() && field == last_field(kept.path);
  }
  if (removed.root != kept.root || !kept.path.starts_with(removed.path)) return false;
  const std::string_view rest = std::string_view(kept.path).substr(removed.path.size());
  return rest.empty() || rest.starts_with("[]");
}

bool is_fresh_container(const Ast& ast, NodeId value) {
  value = unwrapped(ast, value);
  if (ast.is_any(value, array, object)) return ast.first_child(value) == 0;
  return ast.is(value, new_expression) && arguments_of(ast, value).empty() &&
         one_of(callee_of(ast, value).name, {"Map", "Set", "Array"});
}

}  // namespace ebbtide
