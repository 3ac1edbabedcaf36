#include "analysis/review/lifecycle.h"

#include <fmt/format.h>

#include <algorithm>

#include "analysis/review/liveness.h"
#include "analysis/review/loops.h"
#include "analysis/review/words.h"

namespace ebbtide {
namespace {

using enum SyntaxKind;

// The statement of a block that a node is in.
NodeId statement_of(const Ast& ast, NodeId node) {
  NodeId at = node;
  while (at != 0 && !ast.is_any(ast.parent(at), statement_block, program, switch_case))
    at = ast.parent(at);
  return at;
}

}  // namespace

Lifecycles::Lifecycles(const Ast& ast, const Scopes& scopes, Values& values, ConnectionScope& scope,
                       const Acquisitions& acquisitions)
    : ast_(ast), scopes_(scopes), values_(values), scope_(scope), acquisitions_(acquisitions) {
  for (const Acquisition& acquisition : acquisitions.acquired) {
    if (!scope.runs(acquisition.node, moment::living) || !is_of_connections(acquisition)) continue;
    Lifecycle life{.acquisition = &acquisition, .tie = tie_of(acquisition)};
    if (life.tie == Tie::none) continue;
    for (const Release& release : acquisitions.released) {
      if (answers(release, acquisition) && !drops_only_the_empty(release, acquisition))
        life.releases.push_back(judge(release, acquisition));
    }
    std::stable_sort(life.releases.begin(), life.releases.end(),
                     [](const auto& a, const auto& b) { return a.fate < b.fate; });
    if (!life.releases.empty()) life.fate = life.releases.front().fate;
    if (ends_itself(acquisition)) life.fate = Fate::released;
    all_.push_back(std::move(life));
  }
}

// if (sockets.size === 0) rooms.delete(id): that is no release of what is in `sockets`.
bool Lifecycles::drops_only_the_empty(const Release& release, const Acquisition& acquisition) {
  if (release.kind != AcquisitionKind::entry || release.owner == acquisition.owner) return false;
  bool asks = false;
  const auto look = [&](NodeId node) {
    const NodeId measured = member_object(ast_, node);
    if (one_of(member_name(ast_, node), {"size", "length"}) &&
        values_.place(measured) == acquisition.owner) {
      const std::vector<NodeId>& sources = values_.sources(measured);
      asks = asks || std::none_of(sources.begin(), sources.end(), [&](NodeId source) {
               return callee_of(ast_, source).name == "filter";  // it is what is left without it
             });
    }
    return !asks;
  };
  for (const NodeId condition : conditions_of(ast_, release.node)) {
    if (look(condition)) walk(ast_, condition, look);
  }
  return asks;
}

bool Lifecycles::is_connection_or_record(NodeId expression) {
  return values_.is_connection(expression) || scope_.is_record(values_.instance(expression));
}

bool Lifecycles::mentions_connection(NodeId expression) {
  bool found = false;
  const auto look = [&](NodeId node) {
    found = found || (ast_.is_any(node, identifier, shorthand_property_identifier, this_) &&
                      is_connection_or_record(node));
    return !found;
  };
  if (look(expression)) walk(ast_, expression, look);
  return found;
}

// Whether what is acquired can stay when the connection is gone.
bool Lifecycles::is_of_connections(const Acquisition& acquisition) {
  if (acquisition.kind == AcquisitionKind::handle) return true;
  if (!scope_.outlives(acquisition.owner)) return false;
  if (acquisition.kind == AcquisitionKind::listener)
    return !one_of(acquisition.event, {"connection", "upgrade", "request", "listening"}) &&
           !is_made_beside(acquisition);
  return !values_.collection_type(acquisition.receiver).starts_with("Weak");
}

// Each run of the function makes the emitter that it listens to.
bool Lifecycles::is_made_beside(const Acquisition& listener) {
  const NodeId function = function_above(ast_, listener.node);
  const std::vector<NodeId>& sources = values_.sources(listener.receiver);
  return function != 0 && !sources.empty() &&
         std::all_of(sources.begin(), sources.end(), [&](NodeId source) {
           return ast_.is_any(source, new_expression, call_expression) &&
                  function_above(ast_, source) == function && source < listener.node;
         });
}

Tie Lifecycles::tie_of(const Acquisition& acquisition) {
  if (acquisition.kind == AcquisitionKind::handle) return Tie::held;
  if (acquisition.kind == AcquisitionKind::listener) {
    const bool is_listener = !values_.functions(acquisition.value).empty() ||
                             values_.holds_connection(acquisition.value);
    return is_listener ? Tie::held : Tie::none;
  }
  const NodeId key = acquisition.key != 0 ? acquisition.key : acquisition.value;
  const bool own_key = acquisition.key != 0 && is_connection_or_record(key);
  if (stores_container(acquisition.value)) return own_key ? Tie::by_key : Tie::none;
  if (values_.holds_connection(acquisition.value)) return Tie::held;
  const bool keyed = acquisition.key != 0 || acquisition.verb == "add";
  const bool plain_request = scope_.runs(acquisition.node, moment::request);
  if (keyed && !plain_request && is_of_one_connection(key)) return Tie::by_key;
  // A list that gets a line with every message, or a map with every name a client thinks of.
  const bool list = one_of(acquisition.verb, {"push", "unshift"});
  const NodeId named = scopes_.declaration_of(unwrapped(ast_, key));
  const bool by_message =
      keyed && named != 0 && scope_.is_local(named) && scope_.runs(named, moment::message);
  return (list || by_message) && scope_.library() != Library::http ? Tie::history : Tie::none;
}

bool Lifecycles::stores_container(NodeId value) {
  const std::vector<NodeId>& sources = values_.sources(value);
  return is_container(ast_, value) ||
         std::any_of(sources.begin(), sources.end(),
                     [&](NodeId source) { return is_container(ast_, source); });
}

// The connection or something of it, or a name given once per connection, as an id made for it.
bool Lifecycles::is_of_one_connection(NodeId key) {
  if (mentions_connection(key)) return true;
  const NodeId declaration = scopes_.declaration_of(unwrapped(ast_, key));
  if (declaration == 0 || !scope_.is_local(declaration)) return false;
  for (const NodeId source : values_.sources(key)) {
    const NodeId function = function_above(ast_, source);
    const Moments when = scope_.moments(function);
    if ((when & (moment::open | moment::request)) != 0 && (when & moment::message) == 0)
      return true;
  }
  return false;
}

ReleaseReview Lifecycles::judge(const Release& release, const Acquisition& acquisition) {
  ReleaseReview review{.release = &release};
  if (is_given_back_at_once(release, acquisition)) return review;
  const Moments when = scope_.moments(release.node);
  if ((when & moment::close) == 0) {
    review.fate = (when & moment::partial) != 0                   ? Fate::wrong_event
                  : (when & (moment::sweep | moment::timed)) != 0 ? Fate::swept
                                                                  : Fate::elsewhere;
    return review;
  }
  if (find_mismatch(release, acquisition, review) || find_vain_loop(release, review))
    review.fate = Fate::ineffective;
  else if (find_condition(release, acquisition, review))
    review.fate = Fate::conditional;
  return review;
}

// In the function that acquires, in a `finally` or on its straight way.
bool Lifecycles::is_given_back_at_once(const Release& release, const Acquisition& acquisition) {
  const NodeId function = function_above(ast_, acquisition.node);
  if (function_above(ast_, release.node) != function || release.node < acquisition.node)
    return false;
  if (scope_.moments(release.node) != scope_.moments(acquisition.node)) return false;
  for (NodeId at = release.node; at != function; at = ast_.parent(at)) {
    if (ast_.is(at, finally_clause)) return true;
  }
  return conditions_of(ast_, release.node) == conditions_of(ast_, acquisition.node);
}

// delete(x) of what was never put in under x; off() with a function made just for it.
bool Lifecycles::find_mismatch(const Release& release, const Acquisition& acquisition,
                               ReleaseReview& review) {
  if (release.key == 0) return false;
  if (release.kind == AcquisitionKind::listener) {
    const NodeId given = unwrapped(ast_, release.key);
    const bool bound = ast_.is(given, call_expression) && callee_of(ast_, given).name == "bind";
    if (!is_function(ast_, given) && !bound) return false;
    review.because = release.key;
    review.problem = "the function given is a new one that was never added";
    return true;
  }
  if (release.kind != AcquisitionKind::entry || release.owner != acquisition.owner) return false;
  const NodeId given = release.verb == RemovalVerb::splice ? searched_for(release.key)
                       : release.verb == RemovalVerb::one  ? release.key
                                                           : 0;
  const NodeId kept = acquisition.key != 0 ? acquisition.key : acquisition.value;
  if (given == 0 || may_be_the_same(given, kept)) return false;
  review.because = release.key;
  review.problem =
      fmt::format("`{}` is removed, but `{}` was put in", brief(ast_, given), brief(ast_, kept));
  return true;
}

// x of list.splice(list.indexOf(x), 1), the index in a variable or not; 0 of anything else.
NodeId Lifecycles::searched_for(NodeId index) {
  for (const NodeId source : values_.sources(index)) {
    if (ast_.is(source, call_expression) && callee_of(ast_, source).name == "indexOf")
      return argument(ast_, source, 0);
  }
  return 0;
}

// Only a connection in the place of a name, or one in the place of its record, is surely a mistake.
bool Lifecycles::may_be_the_same(NodeId given, NodeId kept) {
  if (ast_.is(unwrapped(ast_, given), this_)) return true;  // in a listener, the socket itself
  const std::vector<NodeId> of_given = values_.sources(given), of_kept = values_.sources(kept);
  for (const NodeId source : of_given) {
    if (holds(of_kept, source)) return true;
  }
  if (are_different_fields(given, kept)) return false;
  const bool given_connection = values_.is_connection(given);
  const bool kept_connection = values_.is_connection(kept);
  const bool given_record = !given_connection && is_connection_or_record(given);
  const bool kept_record = !kept_connection && is_connection_or_record(kept);
  if (given_connection == kept_connection && given_record == kept_record) return true;
  const auto may_be_anything = [&](NodeId expression, const std::vector<NodeId>& sources) {
    if (is_connection_or_record(expression)) return false;
    if (is_typed_as_name(expression)) return false;
    return std::any_of(sources.begin(), sources.end(), [&](NodeId source) {
      const Binding& binding = scopes_.binding(source);
      return binding.scope != 0 &&
             (binding.kind == BindingKind::loop ||
              (binding.kind == BindingKind::parameter && !scope_.is_local(source)));
    });
  };
  return may_be_anything(given, of_given) || may_be_anything(kept, of_kept);
}

// `ws.userId` where `ws.id` was meant: two fields of a connection that are never given one value.
bool Lifecycles::are_different_fields(NodeId one, NodeId other) {
  const auto field_of = [&](NodeId expression) {
    const bool field = !member_name(ast_, expression).empty() && !values_.is_connection(expression);
    const Place place = field ? values_.place(expression) : Place{};
    return place.root == connection_root ? place.path : std::string();
  };
  const std::string path = field_of(one), other_path = field_of(other);
  if (path.empty() || other_path.empty() || path == other_path) return false;
  for (const NodeId source : values_.sources(one)) {
    for (const NodeId kept : values_.sources(other)) {
      const std::string_view text = ast_.text(source);
      if (text == ast_.text(kept) || text == ast_.text(other)) return false;
      if (ast_.text(kept) == ast_.text(one)) return false;
    }
  }
  return true;
}

// Declared as a string or a number.
bool Lifecycles::is_typed_as_name(NodeId expression) const {
  const NodeId declaration = scopes_.declaration_of(unwrapped(ast_, expression));
  const std::string_view type = ast_.text(ast_.child(ast_.parent(declaration), Field::type));
  return declaration != 0 && one_of(type, {": string", ": number"});
}

// On the way to the release: a loop that goes through nothing.
bool Lifecycles::find_vain_loop(const Release& release, ReleaseReview& review) {
  std::vector<NodeId> places = scope_.way_from_close(release.node);
  places.insert(places.begin(), release.node);
  for (const NodeId place : places) {
    for (const NodeId loop : loops_around(ast_, place)) {
      const NodeId over = looped_over(ast_, loop);
      const std::string type = values_.collection_type(over);
      if (ast_.is(loop, for_in_statement) && ast_.has_keyword(loop, "in") &&
          one_of(type, {"Set", "Map"})) {
        review.because = loop;
        review.problem = fmt::format("for…in over a {} goes through nothing", type);
        return true;
      }
      // A variable that has the entry already loses nothing when the entry is dropped.
      const bool reads_again = !ast_.is(unwrapped(ast_, over), identifier);
      const NodeId emptied = emptied_before(loop, values_.place(over), reads_again);
      if (emptied != 0) {
        review.because = emptied;
        review.problem =
            fmt::format("`{}` is empty by the time it is gone through", brief(ast_, over));
        return true;
      }
    }
  }
  return false;
}

// The removal, earlier in the same block, that leaves nothing for the loop; 0 when there is none.
NodeId Lifecycles::emptied_before(NodeId loop, const Place& looped, bool reads_again) {
  if (!looped.known()) return 0;
  const NodeId statement = statement_of(ast_, loop);
  for (const Release& before : acquisitions_.released) {
    if (before.kind != AcquisitionKind::entry || before.owner.root != looped.root) continue;
    const bool all = before.verb == RemovalVerb::all && before.owner == looped;
    const bool its_entry =
        reads_again && before.verb == RemovalVerb::one && before.owner.path + "[]" == looped.path;
    const NodeId earlier = statement_of(ast_, before.node);
    if ((all || its_entry) && ast_.parent(earlier) == ast_.parent(statement) &&
        earlier < statement && ast_.is(earlier, expression_statement))
      return before.node;
  }
  return 0;
}

// A file that something listens to flows to its end, where the stream closes itself.
bool Lifecycles::is_read_to_its_end(NodeId stream) {
  const auto& calls = values_.calls();
  return std::any_of(calls.begin(), calls.end(), [&](NodeId call) {
    const Callee callee = callee_of(ast_, call);
    return callee.object != 0 && is_listener_adder(callee.name) &&
           string_value(ast_, argument(ast_, call, 0)) == "data" &&
           (ast_.contains(callee.object, stream) || holds(values_.sources(callee.object), stream));
  });
}

// ask.on('data', (answer) => { …; ask.end(); }), net.connect(port, () => { …; c.end(); }): opened
// for one exchange, ended without a condition by what that brings.
bool Lifecycles::is_done_with(NodeId handle, NodeId release) {
  const NodeId function = function_above(ast_, release);
  const NodeId call = ast_.parent(ast_.parent(function));
  if (!ast_.is_any(call, call_expression, new_expression) || !conditions_of(ast_, release).empty())
    return false;
  if (call == handle) return true;
  const Callee callee = callee_of(ast_, call);
  if (callee.object == 0 || !holds(values_.sources(callee.object), handle)) return false;
  return callee.name == "connect" || one_of(string_value(ast_, argument(ast_, call, 0)),
                                            {"data", "connect", "open", "message", "response"});
}

// An interval whose own callback clears it once the connection is gone, a timeout that is set up
// again only while it is there; a stream that ends with what it is piped to.
bool Lifecycles::ends_itself(const Acquisition& acquisition) {
  if (acquisition.bounded) return true;
  if (acquisition.kind != AcquisitionKind::handle) return false;
  const auto sees_the_end = [&](NodeId node) {
    const auto conditions = conditions_of(ast_, node);
    return std::any_of(conditions.begin(), conditions.end(),
                       [&](NodeId condition) { return looks_at_life(ast_, values_, condition); });
  };
  if (acquisition.verb == "setTimeout" && sees_the_end(acquisition.node)) return true;
  if (acquisition.verb == "createReadStream" && is_read_to_its_end(acquisition.node)) return true;
  for (const Release& release : acquisitions_.released) {
    if (release.handle != acquisition.node) continue;
    if (callee_of(ast_, release.node).name == "pipeline") return true;
    if (is_done_with(acquisition.node, release.node)) return true;
    for (const NodeId function : values_.functions(argument(ast_, acquisition.node, 0))) {
      if (ast_.contains(function, release.node) && sees_the_end(release.node)) return true;
    }
  }
  return false;
}

}  // namespace ebbtide
