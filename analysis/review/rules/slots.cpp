// LC003, LC015: a variable that holds one thing and is given the next before the last was released.
#include <fmt/format.h>

#include <algorithm>

#include "analysis/review/liveness.h"
#include "analysis/review/rules/families.h"
#include "analysis/review/words.h"

namespace ebbtide {
namespace {

using enum SyntaxKind;

class SlotRules {
 public:
  SlotRules(const ReviewSubject& subject, RuleFindings& findings)
      : s_(subject), findings_(findings) {}

  void run() {
    for (const Lifecycle& life : s_.lifecycles.all()) {
      const Acquisition& taken = *life.acquisition;
      if (taken.kind == AcquisitionKind::handle && taken.owner.known()) look_at_handle(life);
      if (taken.kind == AcquisitionKind::entry && life.fate == Fate::released)
        look_at_remembered_key(life);
    }
    for (NodeId node = 1; node < s_.ast.size(); node++) {
      if (s_.ast.is(node, assignment_expression) &&
          s_.scope.runs(node, moment::open | moment::request))
        look_at_shared_record(node);
    }
  }

 private:
  void look_at_handle(const Lifecycle& life) {
    const Acquisition& taken = *life.acquisition;
    if (taken.owner.path.ends_with("[]") || is_guarded(taken.node, taken.owner)) return;
    const std::string slot = brief(s_.ast, taken.receiver);
    if (s_.scope.outlives(taken.owner)) {
      report("LC015", taken,
             fmt::format("`{}` is one for all connections: the next {} takes the "
                         "place of the last",
                         slot, resource_word(taken.facts->resource)),
             fmt::format("const {} = … inside the handler", slot));
      return;
    }
    const bool repeats = s_.scope.runs(taken.node, moment::message);
    if (!repeats || !outlives_call(taken) || life.fate != Fate::released || taken.bounded) return;
    const HandleFacts& facts = *taken.facts;
    report("LC003", taken,
           fmt::format("`{}` is given a new {} with each message; only the last is released", slot,
                       resource_word(facts.resource)),
           facts.release_functions.empty()
               ? fmt::format("{}?.{}();", slot, facts.release_methods.front())
               : fmt::format("{}({});", facts.release_functions.front(), slot));
  }

  // The slot is still the same one when the function runs again.
  [[nodiscard]] bool outlives_call(const Acquisition& taken) const {
    if (taken.owner.root == connection_root || s_.classes.members(taken.owner.root) != nullptr)
      return true;
    return !s_.ast.contains(function_above(s_.ast, taken.node), taken.owner.root);
  }

  // Released, or seen to be empty, before it is given the new one.
  [[nodiscard]] bool is_guarded(NodeId node, const Place& slot) const {
    const auto asks = [&](NodeId at) {
      const auto conditions = conditions_of(s_.ast, at);
      return std::any_of(conditions.begin(), conditions.end(),
                         [&](NodeId condition) { return names(condition, slot); });
    };
    if (asks(node)) return true;
    const auto& calls = s_.values.calls_of(function_above(s_.ast, node));
    if (!calls.empty() && std::all_of(calls.begin(), calls.end(), asks)) return true;
    if (s_.ast.is(s_.ast.parent(node), augmented_assignment_expression)) return true;
    bool released = false;
    walk(s_.ast, function_above(s_.ast, node), [&](NodeId at) {
      if (released || at >= node) return false;
      if (s_.ast.is(at, call_expression)) released = releases(at, slot);
      return !is_function(s_.ast, at);
    });
    return released;
  }

  [[nodiscard]] bool names(NodeId expression, const Place& slot) const {
    bool found = false;
    const auto look = [&](NodeId at) {
      const bool name = s_.ast.is_any(at, identifier, member_expression);
      found = found || (name && s_.values.place(at) == slot);
      return !found;
    };
    if (look(expression)) walk(s_.ast, expression, look);
    return found;
  }

  // clearInterval(slot), slot.close(), or a function that does so.
  [[nodiscard]] bool releases(NodeId call, const Place& slot) const {
    const std::vector<NodeId> run = s_.values.called(call);
    for (const Release& release : s_.acquisitions.released) {
      if (release.kind != AcquisitionKind::handle) continue;
      const bool here =
          release.node == call || std::any_of(run.begin(), run.end(), [&](NodeId function) {
            return s_.ast.contains(function, release.node);
          });
      if (here && s_.values.place(release.receiver) == slot) return true;
    }
    return false;
  }

  // ws.room = name; rooms.get(name).add(ws): the end removes ws from ws.room only.
  void look_at_remembered_key(const Lifecycle& life) {
    const Acquisition& taken = *life.acquisition;
    if (!s_.scope.runs(taken.node, moment::message) || life.releases.empty()) return;
    const NodeId function = function_above(s_.ast, taken.node);
    const Release& release = *life.releases.front().release;
    if (function_above(s_.ast, release.node) == function || leaves_before(taken, function)) return;
    NodeId slot = 0;
    walk(s_.ast, function, [&](NodeId at) {
      if (!s_.ast.is(at, assignment_expression) || slot != 0) return !is_function(s_.ast, at);
      const NodeId left = s_.ast.child(at, Field::left);
      const std::string_view value = s_.ast.text(s_.ast.child(at, Field::right));
      if (is_slot_of_connection(left, function) && is_key_of(taken, value) &&
          finds_by(release, left))
        slot = at;
      return true;
    });
    if (slot == 0 || is_guarded(slot, s_.values.place(s_.ast.child(slot, Field::left)))) return;
    const std::string name = brief(s_.ast, s_.ast.child(slot, Field::left));
    auto* finding = findings_.report(
        "LC003", taken,
        fmt::format("`{}` keeps only the last key: entering again leaves the entry before behind",
                    name));
    if (finding == nullptr) return;
    finding->evidence = {findings_.evidence(taken.node, "added"),
                         findings_.evidence(slot, "the slot is overwritten"),
                         findings_.evidence(release.node, "only the last is removed")};
    finding->fix = fmt::format("leave({}) before it is given the next", name);
  }

  [[nodiscard]] bool is_slot_of_connection(NodeId left, NodeId function) const {
    const Place place = s_.values.place(left);
    if (place.path.ends_with("[]")) return false;  // one of many, each under its key
    if (place.root == connection_root) return !place.path.empty();
    if (s_.scope.is_record(place.root)) return true;
    const NodeId declaration = s_.scopes.declaration_of(left);
    return s_.ast.is(left, identifier) && s_.scope.is_local(declaration) &&
           !s_.ast.contains(function, declaration);
  }

  // The key is written in the acquisition, in what it is called on or where that comes from.
  [[nodiscard]] bool is_key_of(const Acquisition& taken, std::string_view value) const {
    if (value.empty() || value == "null") return false;
    const Binding& binding = s_.scopes.binding(s_.scopes.declaration_of(taken.receiver));
    return s_.ast.text(taken.key) == value ||
           s_.ast.text(taken.receiver).find(value) != std::string_view::npos ||
           s_.ast.text(binding.value).find(value) != std::string_view::npos;
  }

  // The release, or a call on the way to it, goes by the slot.
  [[nodiscard]] bool finds_by(const Release& release, NodeId slot) const {
    const std::string_view member = member_name(s_.ast, slot);
    const std::string_view name = member.empty() ? s_.ast.text(slot) : member;
    std::vector<NodeId> places = s_.scope.way_from_close(release.node);
    places.push_back(function_above(s_.ast, release.node));
    return std::any_of(places.begin(), places.end(), [&](NodeId place) {
      return s_.ast.text(place).find(name) != std::string_view::npos;
    });
  }

  // The function takes the connection out of where it was before it puts it in again.
  [[nodiscard]] bool leaves_before(const Acquisition& taken, NodeId function) const {
    for (const Release& release : s_.acquisitions.released) {
      if (!answers(release, taken)) continue;
      if (s_.ast.contains(function, release.node) && release.node < taken.node) return true;
      bool called = false;
      walk(s_.ast, function, [&](NodeId at) {
        if (called || at >= taken.node) return false;
        if (!s_.ast.is(at, call_expression)) return true;
        for (const NodeId each : s_.values.called(at))
          called = called || s_.ast.contains(each, release.node);
        return true;
      });
      if (called) return true;
    }
    return false;
  }

  // let entry; wss.on('connection', (ws) => { entry = { ws, … }; ws.on('close', () => end(entry))
  // })
  void look_at_shared_record(NodeId node) {
    const NodeId left = s_.ast.child(node, Field::left);
    const NodeId right = unwrapped(s_.ast, s_.ast.child(node, Field::right));
    if (!s_.ast.is(left, identifier) || !s_.ast.is_any(right, object, new_expression)) return;
    const Place slot{s_.scopes.declaration_of(left), ""};
    if (!slot.known() || !s_.scope.outlives(slot) || !s_.values.holds_connection(right) ||
        is_guarded(node, slot))
      return;
    bool used_at_end = false;
    for (const ConnectionListener* listener : s_.listeners(moment::close)) {
      for (const NodeId function : listener->functions)
        used_at_end = used_at_end || mentions(function, slot.root);
    }
    if (!used_at_end) return;
    auto* finding = findings_.report(
        "LC015", node,
        fmt::format("`{}` is one for all connections: what ends uses the newest one's",
                    s_.ast.text(left)),
        findings_.owner(slot, left));
    if (finding == nullptr) return;
    finding->resource = ReviewResource::entry;
    finding->fix = fmt::format("const {} = …;", s_.ast.text(left));
  }

  [[nodiscard]] bool mentions(NodeId function, NodeId declaration) const {
    bool found = false;
    walk(s_.ast, function, [&](NodeId at) {
      found = found || (s_.ast.is(at, identifier) && s_.scopes.declaration_of(at) == declaration);
      return !found;
    });
    return found;
  }

  void report(std::string_view rule, const Acquisition& taken, std::string reason,
              std::string fix) {
    auto* finding = findings_.report(rule, taken, std::move(reason));
    if (finding == nullptr) return;
    finding->evidence = {findings_.evidence(taken.node, "overwrites what was there")};
    finding->fix = std::move(fix);
  }

  const ReviewSubject& s_;
  RuleFindings& findings_;
};

}  // namespace

void check_slots(const ReviewSubject& subject, RuleFindings& findings) {
  SlotRules(subject, findings).run();
}

}  // namespace ebbtide
