// Answers: when in a connection's life does a piece of code run? On its arrival, with its messages,
// at its end, on an error, or in a sweep over all connections; found by following calls from the
// handlers that the libraries run.
#pragma once

#include <cstdint>
#include <set>
#include <string_view>
#include <tuple>
#include <unordered_map>
#include <vector>

#include "analysis/review/ast.h"
#include "analysis/review/servers.h"
#include "analysis/review/values.h"

namespace ebbtide {

// A set of moments, as bits.
using Moments = std::uint16_t;
namespace moment {
inline constexpr Moments open = 1;       // when a connection has come in
inline constexpr Moments message = 2;    // with each message, or any other repeated event
inline constexpr Moments close = 4;      // at its end, whatever the end
inline constexpr Moments partial = 8;    // at some ends only: 'error', 'end', 'timeout'
inline constexpr Moments later = 16;     // from a timer or listener that a connection set up
inline constexpr Moments sweep = 32;     // from a timer of the server, over all connections
inline constexpr Moments upgrade = 64;   // before the connection is one
inline constexpr Moments late = 128;     // after an await, with no look whether it is still there
inline constexpr Moments request = 256;  // by a plain HTTP request
inline constexpr Moments timed = 512;    // from a timer that a connection set up
inline constexpr Moments living = open | message | upgrade | request;
inline constexpr Moments any = living | close | partial | later;
}  // namespace moment

// One listener on a connection.
struct ConnectionListener {
  NodeId node = 0;        // the call, or the assignment to onclose
  NodeId connection = 0;  // the expression it is on
  std::string_view event;
  NodeId handler = 0;             // the expression given
  std::vector<NodeId> functions;  // what it can be; empty when not in these files
  Moments moments = 0;            // of what the event says
};

class ConnectionScope {
 public:
  ConnectionScope(const Ast& ast, const Scopes& scopes, const Classes& classes, Values& values,
                  const Servers& servers);

  // When the code at that node runs; 0 when no connection makes it run.
  [[nodiscard]] Moments moments(NodeId node) const;
  [[nodiscard]] bool runs(NodeId node, Moments any_of) const {
    return (moments(node) & any_of) != 0;
  }

  [[nodiscard]] const std::vector<ConnectionListener>& listeners() const { return listeners_; }
  [[nodiscard]] const Servers& servers() const { return servers_; }
  // The library of that connection; the program's when the name may be several or none.
  [[nodiscard]] Library library_of(NodeId connection);
  // The library that serves the program; of several, one that is more than plain HTTP.
  [[nodiscard]] Library library() const { return library_; }

  // The calls that lead from the end of a connection to the code at that node, of all ways the one
  // with the fewest conditions. Empty when the code is in the handler itself.
  [[nodiscard]] std::vector<NodeId> way_from_close(NodeId node) const;

  // Calls inside the scope that hand the bare connection to code that was not read.
  [[nodiscard]] const std::vector<NodeId>& handed_out() const { return handed_out_; }

  // Declared anew for each connection or message.
  [[nodiscard]] bool is_local(NodeId declaration) const;
  // Still there when the connection is gone: a module's variable, a field of a long-lived object.
  bool outlives(const Place& place);
  // An object made for one connection that holds it, as `{ ws, id }`.
  bool is_record(NodeId root);

 private:
  void find_listeners();
  void add_listener(NodeId node, NodeId connection, std::string_view event, NodeId handler);
  [[nodiscard]] static Moments moments_of_event(std::string_view event, Library library);
  void mark(NodeId code, Moments moments);
  void mark_called(NodeId function, Moments moments, NodeId from, NodeId call);
  void spread();
  void scan(NodeId code, Moments moments);
  void scan_call(NodeId call, NodeId from, Moments moments);
  void scan_raised_events(NodeId call, NodeId from, Moments moments);
  void scan_using(NodeId declaration, NodeId from, Moments moments);
  void find_ways_from_close();
  void mark_rest_after(NodeId node, Moments moments);
  void find_close_waits(NodeId call);
  void find_sweeps();
  void find_handed_out();
  [[nodiscard]] bool is_served(NodeId expression);

  const Ast& ast_;
  const Scopes& scopes_;
  const Classes& classes_;
  Values& values_;
  const Servers& servers_;
  Library library_ = Library::unknown;
  std::vector<ConnectionListener> listeners_;
  std::vector<NodeId> handed_out_;
  std::vector<NodeId> close_roots_;              // what the end of a connection runs first
  std::unordered_map<NodeId, Moments> moments_;  // of functions, and of statements that differ
  std::vector<std::pair<NodeId, Moments>> work_;

  struct Edge {
    NodeId to = 0;
    NodeId call = 0;
  };
  struct Way {
    std::size_t conditions = 0;
    NodeId from = 0;  // the code that calls; 0 for the handler of the end
    NodeId call = 0;
  };
  std::unordered_map<NodeId, std::vector<Edge>> edges_;  // by the code that calls
  std::set<std::tuple<NodeId, NodeId, NodeId>> known_edges_;
  std::unordered_map<NodeId, Way> ways_from_close_;  // by the code called
};

}  // namespace ebbtide
