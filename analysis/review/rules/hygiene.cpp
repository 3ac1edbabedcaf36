// HY001 to HY005: what a careful server also does.
#include <fmt/format.h>

#include <algorithm>

#include "analysis/review/liveness.h"
#include "analysis/review/rules/families.h"
#include "analysis/review/words.h"

namespace ebbtide {
namespace {

using enum SyntaxKind;

class HygieneRules {
 public:
  HygieneRules(const ReviewSubject& subject, RuleFindings& findings)
      : s_(subject), findings_(findings) {}

  void run() {
    for (const NodeId maker : s_.scope.servers().makers) {
      look_at_heartbeat(maker);
      look_at_payload(maker);
    }
    for (const NodeId call : s_.values.calls()) {
      look_at_interval(call);
      if (s_.ast.is(call, call_expression) && callee_of(s_.ast, call).name == "forEach")
        look_at_broadcast(call, s_.values.functions(argument(s_.ast, call, 0)));
    }
    for (NodeId node = 1; node < s_.ast.size(); node++) {
      if (s_.ast.is(node, for_in_statement))
        look_at_broadcast(node, {s_.ast.child(node, Field::body)});
    }
    look_at_duplicates();
  }

 private:
  void look_at_heartbeat(NodeId maker) {
    NodeId pinged = 0;
    for (const NodeId call : s_.values.calls()) {
      const Callee callee = callee_of(s_.ast, call);
      const bool of_connection = callee.object != 0 && s_.values.is_connection(callee.object);
      if ((callee.name == "ping" && callee.object != 0) ||
          (of_connection && one_of(callee.name, {"terminate", "close", "destroy"}) &&
           s_.scope.runs(call, moment::sweep | moment::timed)))
        pinged = call;
    }
    if (pinged != 0) {
      findings_.passed("HY001", "connections that have vanished are noticed",
                       {findings_.evidence(pinged, "")});
      return;
    }
    if (const NodeId taker = unread_taker_of(maker); taker != 0) {
      findings_.not_checkable("HY001", "the server is handed to code that was not read", taker);
      return;
    }
    auto* finding =
        findings_.report("HY001", maker, "connections are never pinged: a vanished client stays");
    if (finding != nullptr)
      finding->fix = "setInterval(() => wss.clients.forEach((ws) => ws.ping()), 30000)";
  }

  // new Adapter(wss) of a package: it may ping.
  [[nodiscard]] NodeId unread_taker_of(NodeId maker) const {
    for (const NodeId call : s_.values.calls()) {
      if (call == maker || s_.values.external(callee_of(s_.ast, call).node).empty()) continue;
      for (const NodeId given : arguments_of(s_.ast, call)) {
        if (holds(s_.values.sources(given), maker)) return call;
      }
    }
    return 0;
  }

  void look_at_payload(NodeId maker) {
    const NodeId options = argument(s_.ast, maker, 0);
    const ClassMembers* members = s_.classes.members(s_.values.instance(options));
    if (options != 0 && members == nullptr) return;  // made elsewhere
    bool spread = false;
    if (members != nullptr) {
      for (const NodeId part : s_.ast.children(s_.values.instance(options)))
        spread = spread || s_.ast.is(part, spread_element);
      if (spread || members->fields.contains("maxPayload")) return;
    }
    auto* finding = findings_.report(
        "HY002", maker, "maxPayload is not set: messages of up to 100 MiB are accepted");
    if (finding != nullptr) finding->fix = "maxPayload: 64 * 1024";
  }

  // An interval of the server that no code could clear.
  void look_at_interval(NodeId call) {
    const Callee callee = callee_of(s_.ast, call);
    if (callee.object != 0 || callee.name != "setInterval" || s_.scope.runs(call, moment::any))
      return;
    const NodeId member = s_.ast.parent(call);
    if (s_.ast.is(member, member_expression) && member_name(s_.ast, member) == "unref") return;
    for (const NodeId other : s_.values.calls()) {
      const Callee end = callee_of(s_.ast, other);
      const NodeId named = one_of(end.name, {"clearInterval", "clearTimeout"})
                               ? argument(s_.ast, other, 0)
                           : one_of(end.name, {"unref"}) ? end.object
                                                         : 0;
      if (named != 0 && holds(s_.values.sources(named), call)) return;
    }
    bool pings = false;
    for (const NodeId function : s_.values.functions(argument(s_.ast, call, 0))) {
      walk(s_.ast, function, [&](NodeId node) {
        pings = pings || (s_.ast.is(node, call_expression) &&
                          one_of(callee_of(s_.ast, node).name, {"ping", "terminate"}));
        return true;
      });
    }
    if (!pings) return;
    auto* finding = findings_.report(
        "HY004", call, "nothing clears this interval: closing the server does not end it");
    if (finding != nullptr) finding->fix = "wss.on('close', () => clearInterval(heartbeat));";
  }

  // A loop that sends to each without a look at readyState or bufferedAmount.
  void look_at_broadcast(NodeId loop, const std::vector<NodeId>& bodies) {
    for (const NodeId body : bodies) {
      NodeId sent = 0;
      walk(s_.ast, body, [&](NodeId node) {
        if (s_.ast.is(node, call_expression)) {
          const Callee callee = callee_of(s_.ast, node);
          const bool sends = one_of(callee.name, {"send", "sendUTF"}) && callee.object != 0;
          if (sends && s_.values.is_connection(callee.object) &&
              queues_what_is_sent(callee.object) && arguments_of(s_.ast, node).size() < 3)
            sent = node;
        }
        return true;
      });
      if (sent == 0) continue;
      bool looks = false;
      for (const NodeId condition : conditions_of(s_.ast, sent))
        looks = looks || looks_at_life(s_.ast, s_.values, condition) ||
                s_.ast.text(condition).find("bufferedAmount") != std::string_view::npos;
      if (looks) continue;
      auto* finding = findings_.report(
          "HY003", loop, "sends to each without a look at readyState or bufferedAmount");
      if (finding == nullptr) continue;
      finding->evidence = {findings_.evidence(sent, "sent here")};
      finding->fix = "if (client.readyState === client.OPEN && client.bufferedAmount < limit)";
    }
  }

  // Others keep what a slow reader leaves behind within bounds, or say so.
  [[nodiscard]] bool queues_what_is_sent(NodeId connection) const {
    return one_of(library_facts(s_.scope.library_of(connection)).name,
                  {"ws", "express-ws", "@fastify/websocket", "websocket"});
  }

  void look_at_duplicates() {
    const auto& listeners = s_.scope.listeners();
    for (std::size_t i = 0; i < listeners.size(); i++) {
      const ConnectionListener& second = listeners[i];
      if (is_function(s_.ast, unwrapped(s_.ast, second.handler))) continue;
      for (std::size_t earlier = 0; earlier < i; earlier++) {
        const ConnectionListener& first = listeners[earlier];
        if (first.event != second.event || first.functions.empty() ||
            first.functions != second.functions || first.node == second.node)
          continue;
        if (s_.values.place(first.connection) != s_.values.place(second.connection)) continue;
        if (s_.scopes.declaration_of(first.handler) != s_.scopes.declaration_of(second.handler) ||
            !s_.ast.contains(function_above(s_.ast, first.node), second.node))
          continue;
        auto* finding = findings_.report("HY005", second.node,
                                         fmt::format("`{}` already listens to '{}'",
                                                     brief(s_.ast, second.handler), second.event));
        if (finding != nullptr)
          finding->evidence = {findings_.evidence(first.node, "the first time")};
      }
    }
  }

  const ReviewSubject& s_;
  RuleFindings& findings_;
};

}  // namespace

void check_hygiene(const ReviewSubject& subject, RuleFindings& findings) {
  HygieneRules(subject, findings).run();
}

}  // namespace ebbtide
