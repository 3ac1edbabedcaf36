// LC012, LC013, LC016: what is kept under keys.
#include <fmt/format.h>

#include <algorithm>

#include "analysis/review/liveness.h"
#include "analysis/review/loops.h"
#include "analysis/review/rules/families.h"
#include "analysis/review/words.h"

namespace ebbtide {
namespace {

using enum SyntaxKind;

bool contains_any(std::string_view text, std::initializer_list<std::string_view> parts) {
  return std::any_of(parts.begin(), parts.end(), [&](std::string_view part) {
    return text.find(part) != std::string_view::npos;
  });
}

class IndexRules {
 public:
  IndexRules(const ReviewSubject& subject, RuleFindings& findings)
      : s_(subject), findings_(findings) {}

  void run() {
    for (const Lifecycle& life : s_.lifecycles.all()) {
      if (life.acquisition->kind != AcquisitionKind::entry || life.fate != Fate::released) continue;
      for (const ReleaseReview& review : life.releases) {
        if (review.fate != Fate::released) continue;
        look_at_mirror(*life.acquisition, *review.release);
        look_at_shared_key(*life.acquisition, *review.release);
      }
    }
    for (const Acquisition& taken : s_.acquisitions.acquired) look_at_container(taken);
  }

 private:
  // The end finds the entries by going through a list; something shortens that list without
  // removing the entry.
  void look_at_mirror(const Acquisition& taken, const Release& release) {
    const Place list = list_gone_through(release);
    if (!list.known() || list == taken.owner) return;
    for (const Release& forgets : s_.acquisitions.released) {
      if (forgets.kind != AcquisitionKind::entry || forgets.owner != list ||
          forgets.verb != RemovalVerb::one || s_.scope.runs(forgets.node, moment::close) ||
          !s_.scope.runs(forgets.node, moment::message) || also_removes(forgets, taken))
        continue;
      auto* finding = findings_.report(
          "LC012", taken,
          fmt::format("`{}` forgets the key while `{}` keeps the entry: the end cannot find it",
                      brief(s_.ast, forgets.receiver), brief(s_.ast, taken.receiver)));
      if (finding == nullptr) return;
      finding->evidence = {findings_.evidence(taken.node, "added"),
                           findings_.evidence(forgets.node, "only the list forgets"),
                           findings_.evidence(release.node, "found by the list")};
      finding->fix = fmt::format("{}.delete(…) beside {}", brief(s_.ast, taken.receiver),
                                 brief(s_.ast, forgets.node));
      return;
    }
  }

  [[nodiscard]] Place list_gone_through(const Release& release) const {
    std::vector<NodeId> places = s_.scope.way_from_close(release.node);
    places.insert(places.begin(), release.node);
    for (const NodeId place : places) {
      for (const NodeId loop : loops_around(s_.ast, place))
        return s_.values.place(looped_over(s_.ast, loop));
    }
    return {};
  }

  // In the same function, in what it calls, or in a function that calls it.
  [[nodiscard]] bool also_removes(const Release& forgets, const Acquisition& taken) const {
    std::vector<NodeId> around{function_above(s_.ast, forgets.node)};
    for (const NodeId call : s_.values.calls_of(around.front()))
      around.push_back(function_above(s_.ast, call));
    for (const Release& release : s_.acquisitions.released) {
      if (!answers(release, taken)) continue;
      for (const NodeId function : around) {
        if (reaches(function, release.node)) return true;
      }
    }
    return false;
  }

  [[nodiscard]] bool reaches(NodeId function, NodeId node) const {
    if (function == 0) return false;
    bool found = s_.ast.contains(function, node);
    walk(s_.ast, function, [&](NodeId at) {
      if (found || !s_.ast.is(at, call_expression)) return !found;
      for (const NodeId each : s_.values.called(at)) found = found || s_.ast.contains(each, node);
      return !found;
    });
    return found;
  }

  void look_at_shared_key(const Acquisition& taken, const Release& release) {
    if (taken.key == 0 || release.verb != RemovalVerb::one || release.key == 0 ||
        release.owner != taken.owner || is_identity_tested(release))
      return;
    if (s_.lifecycles.stores_container(taken.value) || !s_.values.holds_connection(taken.value) ||
        !is_shared_key(taken.key))
      return;
    auto* finding = findings_.report(
        "LC013", taken,
        fmt::format("two connections can share `{}`: the end of the older removes the newer's",
                    brief(s_.ast, taken.key)));
    if (finding == nullptr) return;
    finding->evidence = {findings_.evidence(taken.node, "overwrites an entry of the same key"),
                         findings_.evidence(release.node, "removes whatever is there")};
    finding->fix =
        fmt::format("if ({0}.get({1}) === {2}) {0}.delete({1});", brief(s_.ast, release.receiver),
                    brief(s_.ast, release.key), s_.connection_name(taken.node));
  }

  // What a client says of itself, unless an id was made for the connection.
  [[nodiscard]] bool is_shared_key(NodeId key) const {
    if (s_.values.is_connection(key)) return false;
    std::string text(s_.ast.text(key));
    std::vector<NodeId> sources = s_.values.sources(key);
    const std::vector<NodeId> of_object = s_.values.sources(member_object(s_.ast, key));
    sources.insert(sources.end(), of_object.begin(), of_object.end());
    for (const NodeId source : sources) {
      const NodeId declared = s_.scopes.binding(source).value;
      text += " " + std::string(s_.ast.text(source).substr(0, 200)) + " " +
              std::string(s_.ast.text(declared).substr(0, 200));
    }
    if (contains_any(
            text, {"uuid", "UUID", "random", "nanoid", "++", "hrtime", "cuid", "ulid", "Date.now",
                   "+= 1", "Symbol(", "websocket-key", "generate", "createId", "nextId", "newId"}))
      return false;
    const bool says_who = contains_any(text, {"auth", "query", "headers", "user", "User"});
    if (contains_any(text, {"socket.id", "client.id", "request.id"}) && !says_who) return false;
    return says_who || contains_any(text, {"player", "device", "imei", "account", "email", "name",
                                           "token", "session", "params", "handshake", "JSON.parse",
                                           "message", "data", "frame", "msg"});
  }

  [[nodiscard]] bool is_identity_tested(const Release& release) const {
    std::vector<NodeId> places = s_.scope.way_from_close(release.node);
    places.insert(places.begin(), release.node);
    for (const NodeId place : places) {
      for (const NodeId condition : conditions_of(s_.ast, place)) {
        if (compares_connection(condition)) return true;
      }
    }
    return false;
  }

  // users.get(id) === ws, entry.socket !== ws; not ws !== null.
  [[nodiscard]] bool compares_connection(NodeId condition) const {
    bool found = false;
    const auto look = [&](NodeId node) {
      if (found || !s_.ast.is(node, binary_expression)) return !found;
      const std::string_view op = s_.ast.text(s_.ast.child(node, Field::operator_));
      if (!one_of(op, {"===", "!==", "==", "!="})) return true;
      const NodeId left = unwrapped(s_.ast, s_.ast.child(node, Field::left));
      const NodeId right = unwrapped(s_.ast, s_.ast.child(node, Field::right));
      for (const NodeId side : {left, right}) {
        if (s_.ast.is_any(side, null_, undefined, number, string, true_, false_) ||
            s_.ast.text(side) == "undefined")
          return true;
      }
      found = s_.lifecycles.mentions_connection(left) || s_.lifecycles.mentions_connection(right);
      return !found;
    };
    if (look(condition)) walk(s_.ast, condition, look);
    return found;
  }

  // if (!rooms.has(name)) rooms.set(name, new Set()) with nothing that ever drops the set.
  void look_at_container(const Acquisition& taken) {
    if (taken.kind != AcquisitionKind::entry || taken.key == 0) return;
    if (!s_.scope.runs(taken.node, moment::living) || !s_.scope.outlives(taken.owner)) return;
    if (!s_.lifecycles.stores_container(taken.value) ||
        s_.lifecycles.is_connection_or_record(taken.key))
      return;
    if (s_.values.collection_type(taken.receiver).starts_with("Weak")) return;
    const Release* inner = nullptr;
    for (const Release& release : s_.acquisitions.released) {
      if (release.kind != AcquisitionKind::entry) continue;
      if (release.owner == taken.owner && release.verb != RemovalVerb::shift &&
          drops_when_empty(release))
        return;
      const bool of_entry = release.owner == Place{taken.owner.root, taken.owner.path + "[]"};
      if (of_entry && release.verb != RemovalVerb::shift &&
          s_.scope.runs(release.node, moment::close))
        inner = &release;
    }
    if (inner == nullptr) return;
    auto* finding = findings_.report(
        "LC016", taken,
        fmt::format("`{}` keeps an empty container for every key that was ever used",
                    brief(s_.ast, taken.receiver)));
    if (finding == nullptr) return;
    finding->evidence = {findings_.evidence(taken.node, "made for a key"),
                         findings_.evidence(inner->node, "emptied here, and left")};
    finding->fix = fmt::format("if (set.size === 0) {}.delete({});", brief(s_.ast, taken.receiver),
                               brief(s_.ast, taken.key));
  }

  // `if (set.size === 0) sets.delete(key)` before `set.delete(ws)` never drops the last one.
  [[nodiscard]] bool drops_when_empty(const Release& release) const {
    const Place inner{release.owner.root, release.owner.path + "[]"};
    for (NodeId at = release.node; at != 0 && !is_function(s_.ast, at); at = s_.ast.parent(at)) {
      if (!s_.ast.is(at, if_statement)) continue;
      const std::string_view condition = s_.ast.text(s_.ast.child(at, Field::condition));
      if (!contains_any(condition, {".size", ".length"}) || contains_any(condition, {".delete("}))
        continue;
      for (const Release& later : s_.acquisitions.released) {
        if (later.owner == inner && later.node > at &&
            s_.ast.parent(s_.ast.parent(later.node)) == s_.ast.parent(at))
          return false;
      }
    }
    return true;
  }

  const ReviewSubject& s_;
  RuleFindings& findings_;
};

}  // namespace

void check_indexes(const ReviewSubject& subject, RuleFindings& findings) {
  IndexRules(subject, findings).run();
}

}  // namespace ebbtide
