// Answers: does every way a connection can end give back what it took? Each acquisition that a
// connection makes and that outlives it, with its releases and what keeps them from working.
#pragma once

#include <string>
#include <vector>

#include "analysis/review/acquisitions.h"
#include "analysis/review/connection_scope.h"

namespace ebbtide {

// How a tracked value belongs to one connection.
enum class Tie : std::uint8_t {
  none,
  held,     // the connection, a record or closure that holds it, or something opened for it
  by_key,   // an entry under a key that is this connection's own
  history,  // a note about it, in a list
};

enum class Fate : std::uint8_t {
  released,     // by the end of the connection, however it ends
  conditional,  // by some ends only
  ineffective,  // there is a release, and it releases nothing
  wrong_event,  // on an event that not every end brings, or none
  swept,        // by a timer of the server alone
  elsewhere,    // only by something that need not happen
  kept,         // by nothing
};

struct ReleaseReview {
  const Release* release = nullptr;
  Fate fate = Fate::released;
  NodeId because = 0;        // the condition, the loop, the key …
  std::string problem = {};  // what is wrong with it, a sentence part
};

struct Lifecycle {
  const Acquisition* acquisition = nullptr;
  Tie tie = Tie::none;
  Fate fate = Fate::kept;
  std::vector<ReleaseReview> releases = {};  // best first
};

class Lifecycles {
 public:
  Lifecycles(const Ast& ast, const Scopes& scopes, Values& values, ConnectionScope& scope,
             const Acquisitions& acquisitions);

  [[nodiscard]] const std::vector<Lifecycle>& all() const { return all_; }

  // The connection, or a record made for it alone.
  bool is_connection_or_record(NodeId expression);
  // Whether what is stored is itself made to be filled, as the Set of a room.
  bool stores_container(NodeId value);
  // Whether the connection or a record of it occurs in the expression.
  bool mentions_connection(NodeId expression);

 private:
  [[nodiscard]] bool is_of_connections(const Acquisition& acquisition);
  bool drops_only_the_empty(const Release& release, const Acquisition& acquisition);
  [[nodiscard]] bool is_made_beside(const Acquisition& listener);
  [[nodiscard]] Tie tie_of(const Acquisition& acquisition);
  [[nodiscard]] bool is_of_one_connection(NodeId key);
  ReleaseReview judge(const Release& release, const Acquisition& acquisition);
  [[nodiscard]] bool is_given_back_at_once(const Release& release, const Acquisition& acquisition);
  bool find_mismatch(const Release& release, const Acquisition& acquisition, ReleaseReview& review);
  [[nodiscard]] NodeId searched_for(NodeId index);
  [[nodiscard]] bool may_be_the_same(NodeId given, NodeId kept);
  [[nodiscard]] bool are_different_fields(NodeId one, NodeId other);
  bool find_vain_loop(const Release& release, ReleaseReview& review);
  [[nodiscard]] NodeId emptied_before(NodeId loop, const Place& looped, bool reads_again);
  [[nodiscard]] bool is_typed_as_name(NodeId expression) const;
  [[nodiscard]] bool depends_on_another(NodeId condition, NodeId place,
                                        const Acquisition& acquisition);
  bool find_condition(const Release& release, const Acquisition& acquisition,
                      ReleaseReview& review);
  [[nodiscard]] bool asks_whether_there(NodeId condition, const Acquisition& acquisition);
  [[nodiscard]] bool is_implied_by(const Acquisition& acquisition, std::string_view atom) const;
  [[nodiscard]] bool depends_on_the_end(NodeId condition, const Release& release,
                                        const Acquisition& acquisition);
  [[nodiscard]] bool tests_key(NodeId condition, NodeId key) const;
  [[nodiscard]] bool asks_to_be_open(NodeId condition, NodeId object,
                                     const Acquisition& acquisition);
  [[nodiscard]] bool tells_the_end(NodeId declaration);
  [[nodiscard]] bool is_set_apart_from(NodeId atom, const Acquisition& acquisition);
  [[nodiscard]] bool is_blank(NodeId value) const;
  [[nodiscard]] bool is_read_to_its_end(NodeId stream);
  [[nodiscard]] bool is_done_with(NodeId handle, NodeId release);
  [[nodiscard]] bool ends_itself(const Acquisition& acquisition);

  const Ast& ast_;
  const Scopes& scopes_;
  Values& values_;
  ConnectionScope& scope_;
  const Acquisitions& acquisitions_;
  std::vector<Lifecycle> all_;
};

}  // namespace ebbtide
