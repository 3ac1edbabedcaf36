// LC008, RB002, RB007: what an await lets happen in between.
#include <fmt/format.h>

#include <algorithm>

#include "analysis/review/liveness.h"
#include "analysis/review/rules/families.h"
#include "analysis/review/words.h"

namespace ebbtide {
namespace {

using enum SyntaxKind;

class AwaitRules {
 public:
  AwaitRules(const ReviewSubject& subject, RuleFindings& findings)
      : s_(subject), findings_(findings) {}

  void run() {
    for (const Lifecycle& life : s_.lifecycles.all()) look_at_late(life);
    for (const ServerEntry& entry : s_.scope.servers().entries) look_at_handler(entry);
    for (const ConnectionListener& listener : s_.scope.listeners()) {
      for (const NodeId function : listener.functions) look_at_listener(function, listener);
    }
  }

 private:
  void look_at_late(const Lifecycle& life) {
    const Acquisition& taken = *life.acquisition;
    if (life.fate != Fate::released || life.tie == Tie::history || taken.bounded ||
        life.releases.empty() || !s_.scope.runs(life.releases.front().release->node, moment::close))
      return;
    if (taken.kind == AcquisitionKind::handle && is_stored_at_once(taken.node)) return;
    const bool here = is_late(s_.ast, s_.values, taken.node);
    const bool before = s_.scope.runs(taken.node, moment::late) && !looks_first(taken.node);
    if (!here && !before) return;
    const NodeId awaited = await_before(s_.ast, taken.node);
    auto* finding = findings_.report(
        "LC008", taken,
        fmt::format("`{}` is taken after an await; if the connection has ended meanwhile, nothing "
                    "gives it back",
                    brief(s_.ast, taken.node, 40)));
    if (finding == nullptr) return;
    if (awaited != 0) finding->evidence.push_back(findings_.evidence(awaited, "time passes here"));
    finding->evidence.push_back(findings_.evidence(taken.node, "taken"));
    finding->evidence.push_back(
        findings_.evidence(life.releases.front().release->node, "may have run before"));
    finding->fix =
        fmt::format("if ({0}.readyState !== {0}.OPEN) return;", s_.connection_name(taken.node));
  }

  // timers.set(ws, setInterval(…)): told of the entry.
  [[nodiscard]] bool is_stored_at_once(NodeId handle) const {
    const auto& acquired = s_.acquisitions.acquired;
    return std::any_of(acquired.begin(), acquired.end(), [&](const Acquisition& entry) {
      return entry.kind == AcquisitionKind::entry && s_.ast.contains(entry.value, handle);
    });
  }

  // The function itself looks whether the connection is there before it takes.
  [[nodiscard]] bool looks_first(NodeId node) const {
    const auto conditions = conditions_of(s_.ast, node);
    return std::any_of(conditions.begin(), conditions.end(), [&](NodeId condition) {
      return looks_at_life(s_.ast, s_.values, condition);
    });
  }

  void look_at_handler(const ServerEntry& entry) {
    const LibraryFacts& facts = library_facts(entry.library);
    if (!is_async(s_.ast, entry.handler) || entry.is_message_handler || entry.is_close_handler ||
        facts.message_events.empty() || entry.library == Library::http)
      return;
    NodeId late = 0, awaited = 0;
    for (const ConnectionListener& listener : s_.scope.listeners()) {
      if (!holds(facts.message_events, listener.event)) continue;
      const NodeId before = function_above(s_.ast, listener.node) == entry.handler
                                ? await_before(s_.ast, listener.node)
                                : await_on_the_way(entry.handler, listener.node);
      if (before == 0) continue;
      late = listener.node;
      awaited = before;
    }
    if (late == 0) return;
    auto* finding = findings_.report(
        "RB002", at_handler(entry),
        "the message listener is attached only after an await: what was sent before is lost");
    if (finding == nullptr) return;
    finding->evidence = {findings_.evidence(awaited, "time passes here"),
                         findings_.evidence(late, "listens from here on")};
    finding->fix = fmt::format("attach the listeners of `{}` before the first await",
                               s_.connection_name(late));
  }

  // The await in the handler after which it calls what listens; 0 when there is none.
  [[nodiscard]] NodeId await_on_the_way(NodeId handler, NodeId listener) const {
    for (const NodeId call : s_.values.calls_of(function_above(s_.ast, listener))) {
      if (function_above(s_.ast, call) == handler) return await_before(s_.ast, call);
    }
    return 0;
  }

  [[nodiscard]] NodeId at_handler(const ServerEntry& entry) const {
    return s_.ast.contains(entry.registration, entry.handler) ? entry.registration : entry.handler;
  }

  void look_at_listener(NodeId function, const ConnectionListener& listener) {
    NodeId risky = 0;
    walk(s_.ast, function, [&](NodeId node) {
      if (risky != 0 || is_function(s_.ast, node)) return false;
      if (is_async(s_.ast, function) && s_.ast.is(node, await_expression) && can_reject(node) &&
          !is_caught(node, function))
        risky = node;
      if (s_.ast.is(node, call_expression) && !is_async(s_.ast, function) &&
          is_unwatched_promise(node))
        risky = node;
      return true;
    });
    if (risky == 0) return;
    const bool inside = s_.ast.contains(listener.node, function);
    auto* finding =
        findings_.report("RB007", inside ? listener.node : function,
                         fmt::format("a rejection of `{}` is nobody's and ends the process",
                                     brief(s_.ast, risky, 40)));
    if (finding == nullptr) return;
    finding->evidence = {findings_.evidence(risky, "may reject")};
    finding->fix = "try { … } catch (error) { … } around it, or .catch(…)";
  }

  // `await delay(5)` of the runtime's timers does not fail, nor does what has its own catch.
  [[nodiscard]] bool can_reject(NodeId awaited) const {
    const NodeId value = unwrapped(s_.ast, awaited);
    if (!s_.ast.is(value, call_expression)) return false;
    if (callee_of(s_.ast, value).name == "catch") return false;
    for (const NodeId function : s_.values.called(value)) {
      if (!rejects(function, 0)) return false;
    }
    return true;
  }

  // An async function of these files that awaits or throws outside of a try.
  [[nodiscard]] bool rejects(NodeId function, int depth) const {
    bool found = false;
    walk(s_.ast, function, [&](NodeId node) {
      if (found || is_function(s_.ast, node)) return false;
      const bool risk = s_.ast.is_any(node, await_expression, throw_statement);
      found = risk && !is_caught(node, function);
      if (!found && s_.ast.is(node, return_statement) && depth < 4) {  // what it returns may
        for (const NodeId each : s_.values.called(unwrapped(s_.ast, s_.ast.first_child(node))))
          found = found || (is_async(s_.ast, each) && rejects(each, depth + 1));
      }
      return !found;
    });
    return found || (depth == 0 && !is_async(s_.ast, function));
  }

  [[nodiscard]] bool is_caught(NodeId node, NodeId function) const {
    for (NodeId at = node; at != 0 && at != function; at = s_.ast.parent(at)) {
      const NodeId around = s_.ast.parent(at);
      if (s_.ast.is(around, try_statement) && s_.ast[at].field == Field::body &&
          s_.ast.child(around, Field::handler) != 0)
        return true;
      if (s_.ast.is(around, call_expression) || s_.ast.is(around, member_expression)) {
        const NodeId call = s_.ast.is(around, call_expression) ? around : s_.ast.parent(around);
        if (s_.ast.is(call, call_expression) && callee_of(s_.ast, call).name == "catch")
          return true;
      }
    }
    return false;
  }

  // A statement `save(data);` or `void save(data);` of an async function that can reject.
  [[nodiscard]] bool is_unwatched_promise(NodeId call) const {
    NodeId around = s_.ast.parent(call);
    if (s_.ast.is(around, unary_expression)) around = s_.ast.parent(around);
    const bool dropped = s_.ast.is_any(around, expression_statement, arrow_function);
    if (!dropped) return false;
    for (const NodeId function : s_.values.called(call)) {
      if (is_async(s_.ast, function) && rejects(function, 0)) return true;
    }
    return false;
  }

  const ReviewSubject& s_;
  RuleFindings& findings_;
};

}  // namespace

void check_awaits(const ReviewSubject& subject, RuleFindings& findings) {
  AwaitRules(subject, findings).run();
}

}  // namespace ebbtide
