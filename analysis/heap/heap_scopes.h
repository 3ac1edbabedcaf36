// Answers: whose variables does a context hold: which script's, which function's or block's? A
// context does not say; the closures that were made in it do, by where they stand.
#pragma once

#include <cstdint>
#include <vector>

#include "analysis/heap/graph.h"
#include "analysis/heap/script_sources.h"

namespace ebbtide {

struct ContextScope {
  const ScriptSource* script = nullptr;  // none: no closure told
  std::uint32_t lexical = 0;             // of the script's declarations, where there are any
  bool runs_once = false;                // a module's own variables: there is one such context
};

// ScopeIndex 0 is the unknown scope.
using ScopeIndex = std::uint32_t;

class ContextScopes {
 public:
  ContextScopes(const HeapGraph& graph, ScriptSources& sources);

  // `context` must be one.
  [[nodiscard]] ScopeIndex of(NodeIndex context) const;
  [[nodiscard]] const ContextScope& scope(ScopeIndex index) const { return scopes_[index]; }

 private:
  friend class ScopeFinder;

  std::vector<NodeIndex> contexts_;  // ascending
  std::vector<ScopeIndex> scope_of_;
  std::vector<ContextScope> scopes_;
};

}  // namespace ebbtide
