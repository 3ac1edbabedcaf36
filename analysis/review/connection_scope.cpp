#include "analysis/review/connection_scope.h"

#include <algorithm>
#include <map>

#include "analysis/review/liveness.h"
#include "analysis/review/words.h"

namespace ebbtide {
namespace {

using enum SyntaxKind;

bool is_timer(const Callee& callee) {
  return callee.object == 0 && one_of(callee.name, {"setTimeout", "setInterval"});
}

bool ends_handle(std::string_view method) {
  return one_of(method, {"end", "close", "destroy", "terminate", "kill", "disconnect", "quit",
                         "destroySoon"});
}

// Methods that keep what they are given instead of running it.
bool keeps_argument(const Callee& callee) {
  return callee.object != 0 &&
         one_of(callee.name, {"set", "add", "push", "unshift", "delete", "has", "get",
                              "removeListener", "off", "removeEventListener", "indexOf"});
}

}  // namespace

ConnectionScope::ConnectionScope(const Ast& ast, const Scopes& scopes, const Classes& classes,
                                 Values& values, const Servers& servers)
    : ast_(ast), scopes_(scopes), classes_(classes), values_(values), servers_(servers) {
  for (const ServerEntry& entry : servers.entries) {
    if (entry.library != Library::unknown && library_ == Library::unknown) library_ = entry.library;
  }
  for (const ServerEntry& entry : servers.entries) {
    if (entry.library != Library::http) library_ = entry.library;
  }
  find_listeners();
  for (const ServerEntry& entry : servers.entries) {
    const Moments when = entry.is_close_handler           ? moment::close
                         : entry.is_message_handler       ? moment::message
                         : entry.library == Library::http ? moment::request
                                                          : moment::open;
    if (entry.is_close_handler) close_roots_.push_back(entry.handler);
    mark(entry.handler, when);
  }
  for (const UpgradeEntry& entry : servers.upgrades) mark(entry.handler, moment::upgrade);
  for (const ConnectionListener& listener : listeners_) {
    for (const NodeId function : listener.functions) {
      if ((listener.moments & moment::close) != 0) close_roots_.push_back(function);
      mark(function, listener.moments);
    }
  }
  spread();
  find_sweeps();
  spread();
  find_ways_from_close();
  find_handed_out();
}

Moments ConnectionScope::moments(NodeId node) const {
  Moments found = 0;
  for (NodeId at = node; at != 0; at = ast_.parent(at)) {
    if (const auto known = moments_.find(at); known != moments_.end()) found |= known->second;
    if (is_function(ast_, at)) return found;
  }
  return found;
}

Library ConnectionScope::library_of(NodeId connection) {
  const std::vector<NodeId>& sources = values_.sources(connection);
  Library found = Library::unknown;
  for (const ServerEntry& entry : servers_.entries) {
    if (entry.connection == 0 || !holds(sources, entry.connection)) continue;
    if (found == Library::unknown || !library_facts(found).is_websocket) found = entry.library;
  }
  return found == Library::unknown ? library_ : found;
}

Moments ConnectionScope::moments_of_event(std::string_view event, Library library) {
  const LibraryFacts& facts = library_facts(library);
  if (holds(facts.close_events, event)) return moment::close;
  // An ending that this library does not report, or not always.
  if (holds(facts.partial_events, event) ||
      one_of(event, {"error", "close", "disconnect", "disconnected", "end"}))
    return moment::partial;
  return moment::message;
}

void ConnectionScope::find_listeners() {
  for (NodeId node = 1; node < ast_.size(); node++) {
    if (ast_.is(node, call_expression)) {
      const Callee callee = callee_of(ast_, node);
      const bool listens = is_listener_adder(callee.name) || callee.name == "once";
      const std::string_view event = string_value(ast_, argument(ast_, node, 0));
      if (listens && callee.object != 0) {
        NodeId on = callee.object;  // ws.on(…).on(…)
        for (int links = 0; links < 20 && ast_.is(unwrapped(ast_, on), call_expression); links++) {
          const Callee before = callee_of(ast_, unwrapped(ast_, on));
          if (!is_listener_adder(before.name) && before.name != "once") break;
          on = before.object;
        }
        if (values_.is_connection(on)) add_listener(node, on, event, argument(ast_, node, 1));
      } else if (callee.name == "finished" && values_.is_connection(argument(ast_, node, 0))) {
        add_listener(node, argument(ast_, node, 0), "close", argument(ast_, node, 1));
      }
    } else if (ast_.is(node, assignment_expression)) {
      const NodeId left = ast_.child(node, Field::left);
      const std::string_view name = member_name(ast_, left);
      if (name.starts_with("on") && values_.is_connection(member_object(ast_, left)))
        add_listener(node, member_object(ast_, left), name.substr(2),
                     ast_.child(node, Field::right));
    }
  }
}

void ConnectionScope::add_listener(NodeId node, NodeId connection, std::string_view event,
                                   NodeId handler) {
  std::vector<NodeId> functions = values_.functions(handler);
  if (const ClassMembers* members = classes_.members(values_.instance(handler))) {
    const auto method = members->methods.find("handleEvent");
    if (method != members->methods.end()) functions.push_back(method->second);
  }
  // An event that is computed may be any: each listener in a table of them.
  const Moments when = event.empty() ? static_cast<Moments>(moment::message | moment::close)
                                     : moments_of_event(event, library_of(connection));
  listeners_.push_back({node, connection, event, handler, std::move(functions), when});
}

void ConnectionScope::mark(NodeId code, Moments moments) {
  if (code == 0) return;
  Moments& known = moments_[code];
  const auto fresh = static_cast<Moments>(moments & ~known);
  if (fresh == 0) return;
  known |= fresh;
  work_.emplace_back(code, fresh);
}

void ConnectionScope::mark_called(NodeId function, Moments moments, NodeId from, NodeId call) {
  if (known_edges_.emplace(from, function, call).second) edges_[from].push_back({function, call});
  mark(function, moments);
}

void ConnectionScope::spread() {
  while (!work_.empty()) {
    const auto [code, moments] = work_.back();
    work_.pop_back();
    scan(code, moments);
  }
}

void ConnectionScope::scan(NodeId code, Moments moments) {
  const auto look = [&](NodeId node) {
    if (ast_.is_any(node, call_expression, new_expression)) scan_call(node, code, moments);
    if (ast_.is(node, lexical_declaration) && ast_.has_keyword(node, "using"))
      scan_using(node, code, moments);
    // A loop over what comes from the connection ends with it.
    if (ast_.is(node, for_in_statement) && ast_.has_keyword(node, "await") &&
        (moments & moment::living) != 0)
      mark_rest_after(node, moment::close);
    return !is_function(ast_, node) && !is_class(ast_, node);
  };
  walk(ast_, code, look);
}

void ConnectionScope::scan_call(NodeId call, NodeId from, Moments moments) {
  const Callee callee = callee_of(ast_, call);
  const bool listens = is_listener_adder(callee.name) || callee.name == "once";
  if (listens && callee.object != 0 && values_.is_connection(callee.object)) return;
  find_close_waits(call);
  if ((moments & moment::living) != 0 && is_late(ast_, values_, call)) moments |= moment::late;
  const std::vector<NodeId> run = values_.called(call);
  for (const NodeId function : run) mark_called(function, moments, from, call);
  if (!run.empty() || keeps_argument(callee)) return;
  scan_raised_events(call, from, moments);
  Moments inside = moments;
  if (is_timer(callee)) inside |= moment::later | moment::timed;
  if (listens) inside |= moment::later;
  for (const NodeId given : arguments_of(ast_, call)) {
    const NodeId value = unwrapped(ast_, given);
    if (!ast_.is_any(value, identifier, member_expression, call_expression, object) &&
        !is_function(ast_, value))
      continue;
    for (const NodeId function : values_.functions(given))
      mark_called(function, inside, from, call);
    const ClassMembers* members = ast_.is(value, object) ? classes_.members(value) : nullptr;
    if (members == nullptr) continue;
    for (const auto& [name, method] : members->methods) mark_called(method, inside, from, call);
  }
}

// hub.emit("left", ws) runs the listeners of that event; to end a socket or process runs those of
// its own end.
void ConnectionScope::scan_raised_events(NodeId call, NodeId from, Moments moments) {
  const Callee callee = callee_of(ast_, call);
  if (callee.object == 0 || values_.is_connection(callee.object)) return;
  const auto raise = [&](std::string_view event, Moments when) {
    for (const NodeId listener : values_.listeners_of(callee.object, event))
      mark_called(listener, when, from, call);
  };
  if (callee.name == "emit") {
    const std::string_view event = string_value(ast_, argument(ast_, call, 0));
    if (event != "connection") raise(event, moments);  // there a life begins, told by the servers
    return;
  }
  if ((moments & moment::close) == 0 || !ends_handle(callee.name)) return;
  for (const std::string_view event : {"close", "end", "exit", "finish", "disconnect"})
    raise(event, moment::close);
}

// What is declared with `using` is disposed of when its scope is left, however that comes.
void ConnectionScope::scan_using(NodeId declaration, NodeId from, Moments moments) {
  if ((moments & moment::living) == 0) return;
  for (const NodeId declarator : ast_.children(declaration)) {
    const NodeId made = values_.instance(ast_.child(declarator, Field::value));
    const ClassMembers* members = classes_.members(made);
    if (members == nullptr) continue;
    for (const std::string_view name : {"Symbol.dispose", "Symbol.asyncDispose"}) {
      const auto method = members->methods.find(name);
      if (method == members->methods.end()) continue;
      close_roots_.push_back(method->second);
      mark_called(method->second, moments | moment::close, from, declarator);
    }
  }
}

// Dijkstra over the calls; a condition around a call is the length of the edge.
void ConnectionScope::find_ways_from_close() {
  std::multimap<std::size_t, NodeId> open;
  const auto reach = [&](NodeId code, const Way& way) {
    const auto [known, fresh] = ways_from_close_.try_emplace(code, way);
    if (!fresh && known->second.conditions <= way.conditions) return;
    known->second = way;
    open.emplace(way.conditions, code);
  };
  for (const NodeId root : close_roots_) reach(root, {});
  while (!open.empty()) {
    const auto [conditions, code] = *open.begin();
    open.erase(open.begin());
    if (conditions != ways_from_close_.at(code).conditions) continue;
    const auto out = edges_.find(code);
    if (out == edges_.end()) continue;
    for (const Edge& edge : out->second)
      reach(edge.to, {conditions + conditions_of(ast_, edge.call).size(), code, edge.call});
  }
}

std::vector<NodeId> ConnectionScope::way_from_close(NodeId node) const {
  std::vector<NodeId> calls;
  for (NodeId at = node; at != 0; at = ast_.parent(at)) {
    auto way = ways_from_close_.find(at);
    for (; way != ways_from_close_.end() && way->second.from != 0 && calls.size() < 50;
         way = ways_from_close_.find(way->second.from))
      calls.push_back(way->second.call);
    if (is_function(ast_, at) || !calls.empty()) break;
  }
  return calls;
}

// `await once(ws, "close")`: what follows runs at the end of the connection. So does the `finally`
// of a loop over its messages.
void ConnectionScope::find_close_waits(NodeId call) {
  const Callee callee = callee_of(ast_, call);
  if (callee.name == "once" && values_.is_connection(argument(ast_, call, 0)) &&
      moments_of_event(string_value(ast_, argument(ast_, call, 1)),
                       library_of(argument(ast_, call, 0))) == moment::close) {
    if (ast_.is(ast_.parent(call), await_expression)) mark_rest_after(call, moment::close);
  }
}

void ConnectionScope::mark_rest_after(NodeId node, Moments moments) {
  for (NodeId at = node; at != 0 && !is_function(ast_, at); at = ast_.parent(at)) {
    std::vector<NodeId> after;
    if (ast_.is(at, try_statement)) after.push_back(ast_.child(at, Field::finalizer));
    for (NodeId next = ast_.next_sibling(at); next != 0; next = ast_.next_sibling(next)) {
      if (ast_.is(ast_.parent(at), statement_block)) after.push_back(next);
    }
    for (const NodeId statement : after) {
      mark(statement, moments);
      close_roots_.push_back(statement);
    }
  }
}

void ConnectionScope::find_sweeps() {
  for (NodeId node = 1; node < ast_.size(); node++) {
    if (!ast_.is(node, call_expression)) continue;
    const Callee callee = callee_of(ast_, node);
    if (!is_timer(callee) && callee.name != "schedule") continue;
    if (runs(node, moment::any)) continue;
    for (const NodeId given : arguments_of(ast_, node)) {
      for (const NodeId function : values_.functions(given)) mark(function, moment::sweep);
    }
  }
}

void ConnectionScope::find_handed_out() {
  for (NodeId node = 1; node < ast_.size(); node++) {
    if (!ast_.is_any(node, call_expression, new_expression) || !runs(node, moment::any)) continue;
    const Callee callee = callee_of(ast_, node);
    const bool plain =
        keeps_argument(callee) ||
        one_of(callee.name,
               {"log",   "emit", "includes",      "filter", "Set",     "Map",      "pipe",   "then",
                "write", "bind", "handleUpgrade", "once",   "send",    "Boolean",  "String", "info",
                "debug", "warn", "error",         "from",   "isArray", "stringify"});
    if (plain || !values_.called(node).empty()) continue;
    for (const NodeId given : arguments_of(ast_, node)) {
      if (ast_.is_any(unwrapped(ast_, given), identifier, member_expression) && is_served(given)) {
        handed_out_.push_back(node);
        break;
      }
    }
  }
}

// A connection of a server found here, not a socket that waits for its upgrade.
bool ConnectionScope::is_served(NodeId expression) {
  const std::vector<NodeId>& sources = values_.sources(expression);
  return std::any_of(servers_.entries.begin(), servers_.entries.end(), [&](const ServerEntry& e) {
    return e.connection != 0 && holds(sources, e.connection);
  });
}

bool ConnectionScope::is_local(NodeId declaration) const {
  const Binding& binding = scopes_.binding(declaration);
  if (binding.scope == 0 || binding.kind == BindingKind::import) return false;
  const NodeId function =
      is_function(ast_, binding.scope) ? binding.scope : function_above(ast_, binding.scope);
  for (NodeId at = function; at != 0; at = function_above(ast_, at)) {
    const auto known = moments_.find(at);
    if (known != moments_.end() && (known->second & moment::any) != 0) return true;
  }
  return false;
}

bool ConnectionScope::is_record(NodeId root) {
  const ClassMembers* members = classes_.members(root);
  if (members == nullptr) return false;
  bool holds = false;
  for (const auto& [name, values] : members->fields) {
    for (const NodeId value : values) holds = holds || values_.is_connection(value);
  }
  for (const auto& [name, parameter] : members->field_parameters)
    holds = holds || values_.is_connection(parameter);
  if (!holds) return false;
  // A room remembers its host and still is no one's own: others are added to it.
  for (const auto& [name, values] : members->fields) {
    for (const NodeId element : values_.elements({root, "." + std::string(name)})) {
      if (values_.holds_connection(element)) return false;
    }
  }
  return true;
}

bool ConnectionScope::outlives(const Place& place) {
  NodeId root = place.root;
  for (int levels = 0; levels < 8; levels++) {
    if (root == 0 || root == connection_root) return false;
    if (classes_.members(root) == nullptr) return !is_local(root);
    if (is_record(root)) return false;
    if (is_class(ast_, root) || is_function(ast_, root)) {
      bool made_here = false, made_elsewhere = false;
      Place kept;
      for (const NodeId call : values_.makings_of(root)) {
        (runs(call, moment::any) ? made_here : made_elsewhere) = true;
        if (!kept.known()) kept = values_.place(call);
      }
      if (!made_here || made_elsewhere) return true;
      if (!kept.known()) return false;
      root = kept.root;
      continue;
    }
    if (!runs(root, moment::any)) return true;
    const Place kept = values_.place(root);
    if (!kept.known() || kept.root == root) return false;
    root = kept.root;
  }
  return false;
}

}  // namespace ebbtide
