#include "analysis/heap/heap_scopes.h"

#include <algorithm>
#include <map>
#include <tuple>
#include <unordered_map>

#include "analysis/heap/heap_classes.h"

namespace ebbtide {
namespace {

constexpr std::size_t longest_chain = 64;

// Where the node's internal edge of that name leads.
NodeIndex follow(const HeapGraph& graph, NodeIndex node, std::string_view name) {
  for (const HeapEdge& edge : graph.edges_of(node)) {
    if (edge.kind() == EdgeKind::internal && graph.name_of(edge) == name) return edge.to;
  }
  return no_node;
}

// The nearest scope from `from` outwards that declares a variable of the context; the script's when
// none does but this is the outermost context; else `from`.
std::uint32_t declaring_scope(const HeapGraph& graph, NodeIndex context, bool outermost,
                              const Declarations& declarations, std::uint32_t from) {
  for (std::uint32_t scope = from;; scope = declarations.scope(scope).parent) {
    for (const HeapEdge& edge : graph.edges_of(context)) {
      if (edge.kind() == EdgeKind::context && declarations.declares(scope, graph.name_of(edge))) {
        return scope;
      }
    }
    if (scope == Declarations::script_scope) break;
  }
  return outermost ? Declarations::script_scope : from;
}

}  // namespace

class ScopeFinder {
 public:
  ScopeFinder(const HeapGraph& graph, ScriptSources& sources, ContextScopes& result)
      : graph_(graph), sources_(sources), result_(result) {}

  void run() {
    for (NodeIndex node = 0; node < graph_.size(); ++node) {
      if (is_context(graph_, node)) result_.contexts_.push_back(node);
    }
    result_.scope_of_.assign(result_.contexts_.size(), 0);
    result_.scopes_.push_back({});
    for (const HeapLocation& location : graph_.locations) {
      if (graph_.kind[location.node] == NodeKind::closure) take(location);
    }
  }

 private:
  using Place = std::tuple<std::uint32_t, std::uint32_t, std::uint32_t>;
  struct PlaceHash {
    std::size_t operator()(const Place& place) const {
      const auto [script, line, column] = place;
      return (std::size_t{script} << 44 ^ std::size_t{line} << 20 ^ column) * 0x9e3779b97f4a7c15;
    }
  };

  [[nodiscard]] NodeIndex context_at(NodeIndex node, std::string_view edge) const {
    const NodeIndex context = follow(graph_, node, edge);
    return context != no_node && is_context(graph_, context) ? context : no_node;
  }

  ScopeIndex intern(const ContextScope& scope) {
    const auto [found, fresh] =
        interned_.try_emplace({scope.script, scope.lexical, scope.runs_once},
                              static_cast<ScopeIndex>(result_.scopes_.size()));
    if (fresh) result_.scopes_.push_back(scope);
    return found->second;
  }

  // The scope of the context `depth` steps out from functions that stand at one place, which all
  // have chains of the same scopes.
  ScopeIndex scope_at(const HeapLocation& location, std::vector<ScopeIndex>& chain,
                      std::size_t depth, NodeIndex context) {
    if (depth < chain.size()) return chain[depth];
    const ScriptSource& script = sources_.of(graph_.scripts[location.script]);
    const bool outermost = context_at(context, "previous") == no_node;
    ContextScope scope{&script, 0, outermost};
    if (const Declarations* declarations = script.declarations()) {
      std::uint32_t from = declarations->scope_around({location.line, location.column});
      if (depth > 0) from = declarations->scope(result_.scopes_[chain[depth - 1]].lexical).parent;
      scope.lexical = declaring_scope(graph_, context, outermost, *declarations, from);
      scope.runs_once = declarations->runs_once(scope.lexical);
    }
    chain.push_back(intern(scope));
    return chain.back();
  }

  void take(const HeapLocation& location) {
    if (location.script >= graph_.scripts.size()) return;
    NodeIndex context = context_at(location.node, "context");
    auto& chain = chains_[{location.script, location.line, location.column}];
    for (std::size_t depth = 0; context != no_node && depth < longest_chain; ++depth) {
      const auto place = std::ranges::lower_bound(result_.contexts_, context);
      ScopeIndex& known =
          result_.scope_of_[static_cast<std::size_t>(place - result_.contexts_.begin())];
      // Outer contexts have been told of by whoever told of this one.
      if (known != 0 && depth < chain.size()) return;
      const ScopeIndex scope = scope_at(location, chain, depth, context);
      if (known == 0) known = scope;
      context = context_at(context, "previous");
    }
  }

  const HeapGraph& graph_;
  ScriptSources& sources_;
  ContextScopes& result_;
  std::unordered_map<Place, std::vector<ScopeIndex>, PlaceHash> chains_;
  std::map<std::tuple<const ScriptSource*, std::uint32_t, bool>, ScopeIndex> interned_;
};

ContextScopes::ContextScopes(const HeapGraph& graph, ScriptSources& sources) {
  ScopeFinder(graph, sources, *this).run();
}

ScopeIndex ContextScopes::of(NodeIndex context) const {
  const auto found = std::ranges::lower_bound(contexts_, context);
  if (found == contexts_.end() || *found != context) return 0;
  return scope_of_[static_cast<std::size_t>(found - contexts_.begin())];
}

}  // namespace ebbtide
