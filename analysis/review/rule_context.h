// Answers: what does a rule have to look at, and how does it say what it found?
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "analysis/review/acquisitions.h"
#include "analysis/review/connection_scope.h"
#include "analysis/review/review.h"

namespace ebbtide {

// What the rules are asked about.
struct ReviewSubject {
  const Ast& ast;
  const Scopes& scopes;
  const Classes& classes;
  const Modules& modules;
  Values& values;
  ConnectionScope& scope;
  const Acquisitions& acquisitions;

  [[nodiscard]] const LibraryFacts& facts() const { return library_facts(scope.library()); }
  // Listeners of those events that are in place for connections.
  [[nodiscard]] std::vector<const ConnectionListener*> listeners(Moments of) const;
  // The connection, or a record made for it alone.
  bool is_connection_or_record(NodeId expression) const;
  // Whether the expression has the connection, a record of it or a name declared for it in it.
  bool mentions_connection(NodeId expression) const;
  // "if (code === 1000)" around the node or a return before it, up to its function: conditions.
  std::vector<NodeId> conditions_of(NodeId node) const;
};

// Findings and checks of one rule after the other.
class RuleFindings {
 public:
  explicit RuleFindings(const ReviewSubject& subject) : subject_(subject) {}

  // A finding at `node`. One of the same rule and owner becomes a repeat of the first: then
  // nullptr.
  ReviewFinding* report(std::string_view rule, NodeId node, std::string reason,
                        const ReviewOwner& owner = {});
  void passed(std::string_view rule, std::string statement, std::vector<ReviewEvidence> evidence);
  void not_checkable(std::string_view rule, std::string why, NodeId node);

  ReviewEvidence evidence(NodeId node, std::string note) const;
  SourceSpot spot(NodeId node) const;
  ReviewOwner owner(const Place& place, NodeId receiver) const;

  std::vector<ReviewFinding> findings;
  std::vector<ReviewCheck> checks;

 private:
  const ReviewSubject& subject_;
};

}  // namespace ebbtide
