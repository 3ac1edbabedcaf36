// RB001, RB005, RB006, LC009: what ends the process, or leaves a connection to itself.
#include <fmt/format.h>

#include <algorithm>

#include "analysis/review/liveness.h"
#include "analysis/review/rules/families.h"
#include "analysis/review/words.h"

namespace ebbtide {
namespace {

using enum SyntaxKind;

class RobustnessRules {
 public:
  RobustnessRules(const ReviewSubject& subject, RuleFindings& findings)
      : s_(subject), findings_(findings) {}

  void run() {
    std::vector<NodeId> asked;
    for (const ServerEntry& entry : s_.scope.servers().entries) {
      if (holds(asked, entry.handler)) continue;
      asked.push_back(entry.handler);
      look_at_errors(entry);
      look_at_early_returns(entry);
    }
    for (const NodeId call : s_.values.calls()) {
      look_at_parse(call);
      look_at_stripping(call);
    }
  }

 private:
  [[nodiscard]] NodeId at_handler(const ServerEntry& entry) const {
    return s_.ast.contains(entry.registration, entry.handler) ? entry.registration : entry.handler;
  }

  void look_at_errors(const ServerEntry& entry) {
    const LibraryFacts& facts = library_facts(entry.library);
    if (!facts.unheard_error_is_fatal) return;
    for (const ConnectionListener& listener : s_.scope.listeners()) {
      if (!one_of(listener.event, {"error", ""}) || !hears(listener, entry)) continue;
      findings_.passed("RB001", "errors of a connection are listened to",
                       {findings_.evidence(listener.node, "the error handler")});
      return;
    }
    if (entry.connection != 0 && !s_.scope.handed_out().empty()) {
      findings_.not_checkable("RB001", "the connection is handed to code that was not read",
                              s_.scope.handed_out().front());
      return;
    }
    auto* finding = findings_.report(
        "RB001", at_handler(entry),
        fmt::format("connections of {} have no 'error' listener: one bad frame ends the process",
                    facts.name));
    if (finding == nullptr) return;
    finding->evidence = {findings_.evidence(entry.handler, "the handler")};
    finding->fix = fmt::format("{}.on('error', (error) => console.error(error.message));",
                               s_.connection_name(entry.handler));
  }

  // Whether the listener is on connections of this entry, as far as the names tell.
  [[nodiscard]] bool hears(const ConnectionListener& listener, const ServerEntry& entry) const {
    if (entry.connection == 0) return true;
    return holds(s_.values.sources(listener.connection), entry.connection);
  }

  // if (!token) return; before anything listens: nobody serves the socket, nobody closes it.
  void look_at_early_returns(const ServerEntry& entry) {
    const bool listens_itself =
        std::any_of(s_.scope.listeners().begin(), s_.scope.listeners().end(),
                    [&](const ConnectionListener& listener) {
                      return function_above(s_.ast, listener.node) == entry.handler &&
                             (listener.moments & moment::message) != 0;
                    });
    if (!listens_itself || entry.library == Library::http || entry.is_close_handler) return;
    NodeId first_message = 0;
    for (const ConnectionListener& listener : s_.scope.listeners()) {
      if (function_above(s_.ast, listener.node) == entry.handler &&
          (listener.moments & moment::message) != 0 &&
          (first_message == 0 || listener.node < first_message))
        first_message = listener.node;
    }
    NodeId bare = 0;
    walk(s_.ast, s_.ast.child(entry.handler, Field::body), [&](NodeId node) {
      if (bare != 0 || node >= first_message || is_function(s_.ast, node)) return false;
      if (s_.ast.is(node, return_statement) && node > entry.connection && !is_dealt_with(node))
        bare = node;
      return true;
    });
    if (bare == 0) return;
    auto* finding = findings_.report(
        "RB006", at_handler(entry),
        "a connection that is turned away here is not closed and stays open unserved");
    if (finding == nullptr) return;
    finding->resource = ReviewResource::connection;
    finding->runs = review_moment::on_open;
    finding->evidence = {findings_.evidence(bare, "turned away")};
    finding->fix = fmt::format("{}.close(1008);", s_.connection_name(entry.handler));
  }

  // Something in the same block names the connection before the return.
  [[nodiscard]] bool is_dealt_with(NodeId returned) const {
    if (s_.lifecycles.mentions_connection(returned)) return true;
    const NodeId block = s_.ast.parent(returned);
    if (!s_.ast.is(block, statement_block)) return false;
    for (NodeId at = s_.ast.first_child(block); at != 0 && at < returned;
         at = s_.ast.next_sibling(at)) {
      bool closes = false;
      walk(s_.ast, at, [&](NodeId node) {
        if (!s_.ast.is(node, call_expression)) return true;
        const Callee callee = callee_of(s_.ast, node);
        const bool on_connection = callee.object != 0 && s_.values.is_connection(callee.object);
        closes =
            closes || (on_connection && one_of(callee.name, {"close", "terminate", "destroy", "end",
                                                             "disconnect", "drop", "reject"}));
        for (const NodeId given : arguments_of(s_.ast, node)) {
          const bool printed = one_of(callee.name, {"log", "warn", "info", "error", "debug"});
          closes = closes || (!printed && s_.values.is_connection(given));
        }
        return !closes;
      });
      if (closes) return true;
    }
    return false;
  }

  void look_at_parse(NodeId call) {
    const Callee callee = callee_of(s_.ast, call);
    if (callee.name != "parse" || s_.ast.text(callee.object) != "JSON") return;
    if (!s_.scope.runs(call, moment::message) || is_caught(call)) return;
    if (!comes_from_client(argument(s_.ast, call, 0))) return;
    const NodeId function = function_above(s_.ast, call);
    NodeId at = function;
    for (const ConnectionListener& listener : s_.scope.listeners()) {
      if (s_.ast.contains(listener.node, function)) at = listener.node;
    }
    auto* finding = findings_.report(
        "RB005", at,
        "what a client sent is parsed outside of try: one bad message ends the process");
    if (finding == nullptr) return;
    finding->evidence = {findings_.evidence(call, "throws on anything but JSON")};
    finding->fix = fmt::format("try {{ … {} … }} catch {{ return; }}", brief(s_.ast, call));
  }

  // In a try with a catch, here or around every call of the function.
  [[nodiscard]] bool is_caught(NodeId node, int depth = 0) const {
    if (depth > 4) return false;
    NodeId at = node;
    for (; at != 0 && !is_function(s_.ast, at); at = s_.ast.parent(at)) {
      const NodeId around = s_.ast.parent(at);
      if (s_.ast.is(around, try_statement) && s_.ast[at].field == Field::body &&
          s_.ast.child(around, Field::handler) != 0)
        return true;
    }
    if (is_async(s_.ast, at)) return true;  // a rejection, told by RB007
    const auto& calls = s_.values.calls_of(at);
    return !calls.empty() && std::all_of(calls.begin(), calls.end(),
                                         [&](NodeId call) { return is_caught(call, depth + 1); });
  }

  // What a listener or handler of messages was given, here or by the calls that lead here. Text of
  // a file, an environment variable, what a store gave back, is our own.
  [[nodiscard]] bool comes_from_client(NodeId expression, int depth = 0) const {
    bool found = false;
    const auto look = [&](NodeId node) {
      if (found || is_function(s_.ast, node)) return false;
      if (callee_of(s_.ast, node).name == "stringify") return false;  // our own text again
      if (!s_.ast.is_any(node, identifier, shorthand_property_identifier)) return true;
      const NodeId declaration = s_.scopes.declaration_of(node);
      const Binding& binding = s_.scopes.binding(declaration);
      if (declaration == 0 || s_.values.is_connection(declaration)) return true;
      if (binding.kind == BindingKind::parameter)
        found = is_given_by_client(binding.scope, declaration, depth);
      else if (depth < 8 && s_.scope.is_local(declaration))
        found = comes_from_client(binding.value, depth + 1) ||
                std::any_of(binding.assigned.begin(), binding.assigned.end(),
                            [&](NodeId value) { return comes_from_client(value, depth + 1); });
      return !found;
    };
    if (expression != 0 && look(expression)) walk(s_.ast, expression, look);
    return found;
  }

  [[nodiscard]] bool is_given_by_client(NodeId function, NodeId declaration, int depth) const {
    for (const ConnectionListener& listener : s_.scope.listeners()) {
      if ((listener.moments & moment::message) != 0 && holds(listener.functions, function))
        return true;
    }
    for (const ServerEntry& entry : s_.scope.servers().entries) {
      if (entry.handler == function && entry.is_message_handler) return true;
    }
    if (depth >= 8) return false;
    const auto parameters = parameters_of(s_.ast, function);
    for (std::size_t i = 0; i < parameters.size(); i++) {
      if (!s_.ast.contains(parameters[i], declaration)) continue;
      for (const NodeId call : s_.values.calls_of(function)) {
        if (comes_from_client(argument(s_.ast, call, i), depth + 1)) return true;
      }
    }
    return false;
  }

  void look_at_stripping(NodeId call) {
    const Callee callee = callee_of(s_.ast, call);
    if (callee.name != "removeAllListeners" || callee.object == 0) return;
    const NodeId event = argument(s_.ast, call, 0);
    if (event != 0 && string_value(s_.ast, event) != "close") return;
    const Library library = s_.scope.library_of(callee.object);
    const bool raw_ws = library == Library::ws || library == Library::express_ws ||
                        library == Library::fastify_websocket;
    if (!raw_ws || !s_.values.is_connection(callee.object)) return;
    if (s_.scope.moments(call) == moment::close) return;  // ws has forgotten it by then
    auto* finding = findings_.report(
        "LC009", call, "this also removes the listener by which ws forgets the client");
    if (finding == nullptr) return;
    finding->resource = ReviewResource::connection;
    finding->evidence = {findings_.evidence(call, "wss.clients keeps it from here on")};
    finding->fix = fmt::format("{}.off('message', onMessage);", brief(s_.ast, callee.object));
  }

  const ReviewSubject& s_;
  RuleFindings& findings_;
};

}  // namespace

void check_robustness(const ReviewSubject& subject, RuleFindings& findings) {
  RobustnessRules(subject, findings).run();
}

}  // namespace ebbtide
