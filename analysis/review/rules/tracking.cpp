// LC001, LC011, LC014, LC017: what goes into a long-lived collection for a connection, and whether
// anything takes it out.
#include <fmt/format.h>

#include <algorithm>

#include "analysis/review/rules/families.h"

namespace ebbtide {
namespace {

using enum SyntaxKind;

// How a tracked value belongs to one connection.
enum class Tie : std::uint8_t {
  none,
  held,     // the connection itself, a record or closure that holds it
  by_key,   // an entry under a key that is this connection's own
  history,  // a note about it, in a list
};

class TrackingRules {
 public:
  TrackingRules(const ReviewSubject& subject, RuleFindings& findings)
      : s_(subject), findings_(findings) {}

  void run() {
    for (const Tracked& tracked : s_.acquisitions.tracked) {
      if (!s_.scope.runs(tracked.node, moment::living) || !s_.scope.outlives(tracked.owner))
        continue;
      const std::string type = s_.values.collection_type(tracked.receiver);
      if (type.starts_with("Weak")) continue;
      const Tie tie = tie_of(tracked);
      if (tie == Tie::none) continue;
      if (tie == Tie::history)
        look_at_history(tracked);
      else
        look_at_removals(tracked);
    }
  }

 private:
  [[nodiscard]] Tie tie_of(const Tracked& tracked) const {
    if (is_fresh_container(s_.ast, tracked.value)) return Tie::none;
    if (s_.values.holds_connection(tracked.value)) return Tie::held;
    const bool keyed = tracked.key != 0 || tracked.verb == "add";
    const NodeId key = tracked.key != 0 ? tracked.key : tracked.value;
    if (keyed && is_of_one_connection(key)) return Tie::by_key;
    const bool list = tracked.verb == "push" || tracked.verb == "unshift";
    return list ? Tie::history : Tie::none;
  }

  // The connection or something of it, or a name given once per connection, as an id made for it.
  [[nodiscard]] bool is_of_one_connection(NodeId key) const {
    if (s_.mentions_connection(key)) return true;
    const NodeId declaration = s_.scopes.declaration_of(unwrapped(s_.ast, key));
    if (declaration == 0 || !s_.scope.is_local(declaration)) return false;
    const NodeId function = function_above(s_.ast, declaration);
    return s_.scope.moments(function) == moment::open;
  }

  void look_at_history(const Tracked& tracked) {
    for (const Removal& removal : s_.acquisitions.removals) {
      if (may_remove(removal.owner, tracked.owner)) return;
    }
    const ReviewOwner owner = findings_.owner(tracked.owner, tracked.receiver);
    auto* finding =
        findings_.report("LC011", tracked.node,
                         fmt::format("`{}` grows and nothing shortens it", owner.path), owner);
    if (finding == nullptr) return;
    const std::string list = brief(s_.ast, tracked.receiver);
    finding->fix = fmt::format("if ({0}.length > 1000) {0}.shift();", list);
  }

  void look_at_removals(const Tracked& tracked) {
    std::vector<const Removal*> closing, partial, sweeping, elsewhere;
    for (const Removal& removal : s_.acquisitions.removals) {
      if (!may_remove(removal.owner, tracked.owner) || removal.node == tracked.node) continue;
      const Moments when = s_.scope.moments(removal.node);
      if ((when & moment::close) != 0)
        closing.push_back(&removal);
      else if ((when & moment::partial) != 0)
        partial.push_back(&removal);
      else if ((when & moment::sweep) != 0)
        sweeping.push_back(&removal);
      else
        elsewhere.push_back(&removal);
    }
    const ReviewOwner owner = findings_.owner(tracked.owner, tracked.receiver);
    if (!closing.empty()) {
      findings_.passed("LC001", fmt::format("`{}` is cleaned when a connection ends", owner.path),
                       {findings_.evidence(tracked.node, "added"),
                        findings_.evidence(closing.front()->node, "removed at the end")});
      return;
    }
    if (is_out_of_sight(tracked)) return;
    if (!partial.empty())
      report_partial(tracked, owner, *partial.front());
    else if (!sweeping.empty())
      report_sweep(tracked, owner, *sweeping.front());
    else
      report_kept(tracked, owner, elsewhere);
  }

  // Says so and answers true when the removal may be in code that was not read.
  bool is_out_of_sight(const Tracked& tracked) {
    const Binding& binding = s_.scopes.binding(tracked.owner.root);
    if (binding.kind == BindingKind::import) {
      findings_.not_checkable(
          "LC001",
          fmt::format("`{}` comes from code that was not read", brief(s_.ast, tracked.receiver)),
          tracked.node);
      return true;
    }
    if (s_.listeners(moment::close).empty() && !s_.scope.handed_out().empty()) {
      findings_.not_checkable("LC001", "the connection is handed to code that was not read",
                              s_.scope.handed_out().front());
      return true;
    }
    return false;
  }

  void report_partial(const Tracked& tracked, const ReviewOwner& owner, const Removal& removal) {
    auto* finding = findings_.report(
        "LC017", removal.node,
        fmt::format("`{}` is cleaned only by an event that not every ending brings", owner.path),
        owner);
    if (finding == nullptr) return;
    finding->evidence = {findings_.evidence(tracked.node, "added"),
                         findings_.evidence(removal.node, "removed only here")};
    finding->fix = close_listener(tracked);
  }

  void report_sweep(const Tracked& tracked, const ReviewOwner& owner, const Removal& removal) {
    auto* finding = findings_.report(
        "LC014", tracked.node,
        fmt::format("`{}` is emptied by a timer only, not when a connection ends", owner.path),
        owner);
    if (finding == nullptr) return;
    finding->evidence = {findings_.evidence(tracked.node, "added"),
                         findings_.evidence(removal.node, "the sweep")};
    finding->fix = close_listener(tracked);
  }

  void report_kept(const Tracked& tracked, const ReviewOwner& owner,
                   const std::vector<const Removal*>& elsewhere) {
    const auto closers = s_.listeners(moment::close);
    const std::string why = closers.empty() ? "no listener for the connection's end"
                            : !elsewhere.empty()
                                ? "only removed elsewhere, not when the connection ends"
                                : "the connection's end removes nothing from it";
    auto* finding = findings_.report(
        "LC001", tracked.node,
        fmt::format("`{}` keeps an entry for every connection: {}", owner.path, why), owner);
    if (finding == nullptr) return;
    finding->evidence.push_back(findings_.evidence(tracked.node, "added"));
    for (const Removal* removal : elsewhere)
      finding->evidence.push_back(findings_.evidence(removal->node, "removed here only"));
    if (!closers.empty())
      finding->evidence.push_back(findings_.evidence(closers.front()->node, "the close handler"));
    for (const NodeId function : s_.values.functions(tracked.value))
      finding->closures.push_back(findings_.spot(function));
    finding->fix = close_listener(tracked);
  }

  // In the file's own names: ws.on('close', () => clients.delete(ws));
  [[nodiscard]] std::string close_listener(const Tracked& tracked) const {
    const std::string_view event = s_.facts().close_events.front();
    std::string connection = "socket";
    for (const ServerEntry& entry : s_.scope.servers().entries) {
      if (entry.connection != 0) connection = s_.ast.text(entry.connection);
    }
    const std::string list = brief(s_.ast, tracked.receiver);
    const std::string key = brief(s_.ast, tracked.key != 0 ? tracked.key : tracked.value);
    std::string removal = fmt::format("{}.delete({})", list, key);
    if (tracked.verb == "[]=") removal = fmt::format("delete {}[{}]", list, key);
    if (tracked.verb == "push" || tracked.verb == "unshift")
      removal = fmt::format("{{ const i = {0}.indexOf({1}); if (i !== -1) {0}.splice(i, 1); }}",
                            list, key);
    return fmt::format("{}.on('{}', () => {});", connection, event, removal);
  }

  const ReviewSubject& s_;
  RuleFindings& findings_;
};

}  // namespace

void check_tracking(const ReviewSubject& subject, RuleFindings& findings) {
  TrackingRules(subject, findings).run();
}

}  // namespace ebbtide
