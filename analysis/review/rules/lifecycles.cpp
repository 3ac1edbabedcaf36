// LC001, 002, 004, 005, 006, 007, 011, 014, 017: each acquisition told by what becomes of it.
#include <fmt/format.h>

#include <algorithm>

#include "analysis/review/rules/families.h"
#include "analysis/review/words.h"

namespace ebbtide {
namespace {

class LifecycleRules {
 public:
  LifecycleRules(const ReviewSubject& subject, RuleFindings& findings)
      : s_(subject), findings_(findings) {}

  void run() {
    for (const Lifecycle& life : s_.lifecycles.all()) {
      if (life.tie == Tie::history)
        look_at_history(life);
      else
        look_at_fate(life);
    }
  }

 private:
  void look_at_history(const Lifecycle& life) {
    const Acquisition& taken = *life.acquisition;
    if (!life.releases.empty() || is_foreign(taken)) return;
    auto* finding = findings_.report(
        "LC011", taken,
        fmt::format("`{}` grows and nothing shortens it", findings_.owner(taken).path));
    if (finding == nullptr) return;
    finding->evidence = {findings_.evidence(taken.node, "added")};
    const bool list = one_of(taken.verb, {"push", "unshift"});
    finding->fix = fmt::format(fmt::runtime(list ? "if ({0}.length > 1000) {0}.shift();"
                                                 : "if ({0}.size > 1000) {0}.clear();"),
                               brief(s_.ast, taken.receiver));
  }

  void look_at_fate(const Lifecycle& life) {
    if (life.fate == Fate::released) return note_release(life);
    if (is_shared_handle(*life.acquisition) || is_out_of_sight(life)) return;
    switch (life.fate) {
      case Fate::conditional:
        return report(life, "LC007", "is given back {}");
      case Fate::ineffective:
        return report(life, "LC002", "is not given back: {}");
      case Fate::wrong_event:
        return report(life, "LC017", "is given back on an event that not every ending brings");
      case Fate::swept:
        return report(life, "LC014", "is given back by a timer only, not when a connection ends");
      default:
        return report(life, rule_for_kept(*life.acquisition), "is kept: {}");
    }
  }

  // A handle in a variable of all connections is told by LC015.
  [[nodiscard]] bool is_shared_handle(const Acquisition& taken) const {
    return taken.kind == AcquisitionKind::handle && taken.owner.known() &&
           s_.scope.outlives(taken.owner);
  }

  [[nodiscard]] static std::string_view rule_for_kept(const Acquisition& taken) {
    if (taken.kind == AcquisitionKind::entry) return "LC001";
    if (taken.kind == AcquisitionKind::listener) return "LC004";
    return taken.facts->resource == ReviewResource::timer ? "LC005" : "LC006";
  }

  [[nodiscard]] std::string subject_of(const Acquisition& taken) const {
    const ReviewOwner owner = findings_.owner(taken);
    switch (taken.kind) {
      case AcquisitionKind::entry:
        return fmt::format("the entry in `{}`", owner.path);
      case AcquisitionKind::listener:
        return fmt::format("the '{}' listener on `{}`", taken.event, owner.path);
      case AcquisitionKind::handle:
        break;
    }
    return fmt::format("the {} `{}`", resource_word(taken.facts->resource),
                       brief(s_.ast, taken.node, 30));
  }

  void note_release(const Lifecycle& life) {
    const Acquisition& taken = *life.acquisition;
    std::vector<ReviewEvidence> evidence = {findings_.evidence(taken.node, "taken")};
    if (!life.releases.empty())
      evidence.push_back(findings_.evidence(life.releases.front().release->node, "given back"));
    findings_.passed(rule_for_kept(taken),
                     subject_of(taken) + " is given back when a connection ends",
                     std::move(evidence));
  }

  // Says so and answers true when the release may be in code that was not read.
  bool is_out_of_sight(const Lifecycle& life) {
    const Acquisition& taken = *life.acquisition;
    const bool foreign = taken.kind == AcquisitionKind::entry && is_foreign(taken);
    if (is_queue_of_waiters(life)) {
      findings_.not_checkable(
          rule_for_kept(taken),
          fmt::format("`{}` is a queue that other events empty", brief(s_.ast, taken.receiver)),
          taken.node);
      return true;
    }
    const bool handed_out = !hears_the_end() && !s_.scope.handed_out().empty();
    if (!foreign && !handed_out) return false;
    findings_.not_checkable(rule_for_kept(taken),
                            foreign ? fmt::format("`{}` comes from code that was not read",
                                                  brief(s_.ast, taken.receiver))
                                    : "the connection is handed to code that was not read",
                            foreign ? taken.node : s_.scope.handed_out().front());
    return true;
  }

  // waiting.push(callback) … waiting.shift()(socket): whatever the next event is, it takes one out.
  [[nodiscard]] bool is_queue_of_waiters(const Lifecycle& life) const {
    const bool is_shifted = std::any_of(
        life.releases.begin(), life.releases.end(),
        [](const ReleaseReview& review) { return review.release->verb == RemovalVerb::shift; });
    return is_shifted && life.acquisition->kind == AcquisitionKind::entry &&
           !s_.values.functions(life.acquisition->value).empty();
  }

  // An import, or what a package made: a cache that forgets by itself, a client of a store.
  [[nodiscard]] bool is_foreign(const Acquisition& taken) const {
    if (s_.scopes.binding(taken.owner.root).kind == BindingKind::import) return true;
    return s_.values.collection_type(taken.receiver).empty() &&
           s_.values.external(taken.receiver).ends_with("()");
  }

  [[nodiscard]] bool hears_the_end() const {
    const auto& entries = s_.scope.servers().entries;
    return !s_.listeners(moment::close).empty() ||
           std::any_of(entries.begin(), entries.end(),
                       [](const ServerEntry& entry) { return entry.is_close_handler; });
  }

  [[nodiscard]] std::string why(const Lifecycle& life) const {
    if (!life.releases.empty() && !life.releases.front().problem.empty())
      return life.releases.front().problem;
    if (life.fate == Fate::elsewhere) return "its release need not happen";
    return hears_the_end() ? "the end of the connection gives nothing back"
                           : "nothing listens to the end of the connection";
  }

  void report(const Lifecycle& life, std::string_view rule, std::string_view sentence) {
    const Acquisition& taken = *life.acquisition;
    auto* finding = findings_.report(
        rule, taken, subject_of(taken) + " " + fmt::format(fmt::runtime(sentence), why(life)));
    if (finding == nullptr) return;
    finding->evidence.push_back(findings_.evidence(taken.node, "taken"));
    for (std::size_t i = 0; i < life.releases.size() && i < 3; i++) {
      const ReleaseReview& review = life.releases[i];
      finding->evidence.push_back(findings_.evidence(review.release->node, "the release"));
      if (review.because != 0)
        finding->evidence.push_back(findings_.evidence(review.because, "but"));
    }
    const auto closers = s_.listeners(moment::close);
    if (life.releases.empty() && !closers.empty())
      finding->evidence.push_back(findings_.evidence(closers.front()->node, "the close handler"));
    if (life.fate == Fate::conditional)
      finding->condition = brief(s_.ast, life.releases.front().because);
    const NodeId kept =
        taken.kind == AcquisitionKind::handle ? argument(s_.ast, taken.node, 0) : taken.value;
    for (const NodeId function : s_.values.functions(kept))
      finding->closures.push_back(findings_.spot(function));
    finding->fix = fix_for(taken);
  }

  // In the file's own names: ws.on('close', () => clients.delete(ws)); What has no name of its own
  // gets one first, for a second `new Session(ws)` is another one.
  [[nodiscard]] std::string fix_for(const Acquisition& taken) const {
    std::string first;
    if (is_made_on_the_spot(taken))
      first = fmt::format("const entry = {};\n", brief(s_.ast, entry_of(taken)));
    return first + fmt::format("{}.on('{}', () => {});", s_.connection_name(taken.node),
                               s_.facts(taken.node).close_events.front(), release_of(taken));
  }

  // What a collection knows an entry by.
  [[nodiscard]] static NodeId entry_of(const Acquisition& taken) {
    return taken.key != 0 ? taken.key : taken.value;
  }

  [[nodiscard]] bool is_made_on_the_spot(const Acquisition& taken) const {
    if (taken.kind != AcquisitionKind::entry) return false;
    switch (s_.ast.kind(unwrapped(s_.ast, entry_of(taken)))) {
      case SyntaxKind::new_expression:
      case SyntaxKind::call_expression:
      case SyntaxKind::object:
      case SyntaxKind::array:
        return true;
      default:
        return false;
    }
  }

  [[nodiscard]] std::string release_of(const Acquisition& taken) const {
    const std::string receiver = brief(s_.ast, taken.receiver);
    if (taken.kind == AcquisitionKind::listener) {
      const bool named = !is_function(s_.ast, unwrapped(s_.ast, taken.value));
      return fmt::format("{}.off('{}', {})", receiver, taken.event,
                         named ? brief(s_.ast, taken.value) : "listener");
    }
    if (taken.kind == AcquisitionKind::handle) {
      const std::string handle = taken.receiver == 0 ? "handle" : receiver;
      if (taken.facts->release_functions.empty())
        return fmt::format("{}.{}()", handle, taken.facts->release_methods.front());
      return fmt::format("{}({})", taken.verb == "setTimeout" ? "clearTimeout" : "clearInterval",
                         handle);
    }
    const std::string key = is_made_on_the_spot(taken) ? "entry" : brief(s_.ast, entry_of(taken));
    if (taken.verb == "[]=") return fmt::format("delete {}[{}]", receiver, key);
    if (one_of(taken.verb, {"push", "unshift"}))
      return fmt::format("{{ const i = {0}.indexOf({1}); if (i !== -1) {0}.splice(i, 1); }}",
                         receiver, key);
    return fmt::format("{}.delete({})", receiver, key);
  }

  const ReviewSubject& s_;
  RuleFindings& findings_;
};

}  // namespace

void check_lifecycles(const ReviewSubject& subject, RuleFindings& findings) {
  LifecycleRules(subject, findings).run();
}

}  // namespace ebbtide
