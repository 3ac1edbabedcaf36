// Answers: what does a rule have to look at, and how does it say what it found?
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "analysis/review/acquisitions.h"
#include "analysis/review/connection_scope.h"
#include "analysis/review/lifecycle.h"
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
  Lifecycles& lifecycles;

  // The way in that code at that node most likely belongs to; nullptr when no connection is named.
  [[nodiscard]] const ServerEntry* entry_near(NodeId node) const;
  [[nodiscard]] const LibraryFacts& facts(NodeId near) const;
  // Listeners of those events that are in place for connections.
  [[nodiscard]] std::vector<const ConnectionListener*> listeners(Moments of) const;
  // The name that a connection has there; "socket" when it has none.
  [[nodiscard]] std::string connection_name(NodeId near) const;
};

// Findings and checks of one rule after the other.
class RuleFindings {
 public:
  explicit RuleFindings(const ReviewSubject& subject) : subject_(subject) {}

  // A finding at `node`. One of the same rule and owner becomes a repeat of the first: then
  // nullptr.
  ReviewFinding* report(std::string_view rule, NodeId node, std::string reason,
                        const ReviewOwner& owner = {});
  // A finding of what was acquired.
  ReviewFinding* report(std::string_view rule, const Acquisition& taken, std::string reason);
  void passed(std::string_view rule, std::string statement, std::vector<ReviewEvidence> evidence);
  void not_checkable(std::string_view rule, std::string why, NodeId node);

  ReviewEvidence evidence(NodeId node, std::string note) const;
  SourceSpot spot(NodeId node) const;
  ReviewOwner owner(const Place& place, NodeId receiver) const;
  ReviewOwner owner(const Acquisition& taken) const;

  std::vector<ReviewFinding> findings;
  std::vector<ReviewCheck> checks;

 private:
  const ReviewSubject& subject_;
};

}  // namespace ebbtide
