// Answers: what can an expression be, without running it? Which functions, whose instance, made by
// which library, held by what. Flow-insensitive: a name may be anything it was ever given. Every
// question ends: depth and number of answers are bounded, what lies beyond is "unknown".
#pragma once

#include <map>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "analysis/review/ast.h"
#include "analysis/review/classes.h"
#include "analysis/review/modules.h"
#include "analysis/review/scopes.h"

namespace ebbtide {

// Where something is held: the declaration of a variable, or a class or object literal for its
// fields, and the way from there, ".users" or ".rooms[]" ("[]" is any element).
struct Place {
  NodeId root = 0;  // 0: unknown
  std::string path;

  [[nodiscard]] bool known() const { return root != 0; }
  bool operator==(const Place&) const = default;
  auto operator<=>(const Place&) const = default;
};

// The root of what hangs on a connection object itself, whichever variable it is in.
inline constexpr NodeId connection_root = 0xFFFFFFFF;

// One place where a value goes into a collection.
struct Store {
  NodeId node = 0;      // the call or assignment
  NodeId receiver = 0;  // the collection
  NodeId key = 0;       // 0 for a Set or an array
  NodeId value = 0;
  std::string_view verb;  // set, add, push, unshift, "[]="
};

class Values {
 public:
  Values(const Ast& ast, const Scopes& scopes, const Classes& classes, const Modules& modules);

  // Declares a name to be a connection, and members of it that stand for it; to be called before
  // the first question.
  void mark_connection(NodeId declaration, const std::vector<std::string_view>& members = {}) {
    connections_.emplace(declaration, members);
  }
  // Follows arguments into parameters and values into collections, once all connections are marked.
  void connect_calls();

  // The expressions and functions that can be the value, aliases resolved: functions, classes,
  // new-expressions, literals, calls into packages, names without a known value.
  const std::vector<NodeId>& sources(NodeId expression);
  std::vector<NodeId> functions(NodeId expression);
  // The functions a call runs; by the method's name alone when few classes have such a method.
  std::vector<NodeId> called(NodeId call);
  // The class, constructor function or object literal that the value is an instance of; 0 unknown.
  NodeId instance(NodeId expression);
  // "ws:WebSocketServer" for a name of a package, "ws:WebSocketServer()" for what it makes,
  // "ws:" for the package itself; "" when it is none.
  std::string external(NodeId expression);

  bool is_connection(NodeId expression);
  // The connection, or an object that holds it, or a function that captures it.
  bool holds_connection(NodeId expression);

  Place place(NodeId expression);
  // "Map", "Set", "WeakMap", "WeakSet", "Array", "object"; "" unknown.
  std::string collection_type(NodeId expression);
  // The functions that `emitter.on(event, …)` was given, wherever the emitter is held.
  std::vector<NodeId> listeners_of(NodeId emitter, std::string_view event);
  // What was ever stored into that place.
  const std::vector<NodeId>& elements(const Place& place);

  bool runs_own_method(NodeId store);
  [[nodiscard]] const std::vector<Store>& stores() const { return stores_; }
  [[nodiscard]] const std::vector<NodeId>& calls_of(NodeId function) const;
  // The new-expressions that make instances of a class.
  [[nodiscard]] const std::vector<NodeId>& makings_of(NodeId class_node) const;
  // The assignments `x.name = …` of the program, whatever x is.
  [[nodiscard]] const std::vector<NodeId>& writes_of(std::string_view name) const;
  // Every call and new-expression of the program, in reading order.
  [[nodiscard]] const std::vector<NodeId>& calls() const { return calls_; }

 private:
  using ParameterValues = std::unordered_map<NodeId, std::vector<NodeId>>;  // by pattern

  void index_call(NodeId call);
  void find_stores();
  void forget_answers();
  void bind_arguments();
  void bind_all(NodeId function, NodeId given, ParameterValues& bound);
  void index_elements();

  void expand(NodeId expression, std::vector<NodeId>& open, std::vector<NodeId>& found);
  void expand_loop(const Binding& binding, std::vector<NodeId>& open);
  void expand_name(NodeId name, std::vector<NodeId>& open, std::vector<NodeId>& found);
  void expand_parameter(NodeId declaration, std::vector<NodeId>& open, std::vector<NodeId>& found);
  void expand_call(NodeId call, std::vector<NodeId>& open, std::vector<NodeId>& found);
  void expand_member(NodeId expression, std::vector<NodeId>& open, std::vector<NodeId>& found);
  [[nodiscard]] NodeId parameter_by_index(NodeId expression) const;
  void follow_path(NodeId value, std::string_view path, std::vector<NodeId>& open);
  // What `.name` of that source can be.
  std::vector<NodeId> property(NodeId source, std::string_view name);
  std::vector<NodeId> returned(NodeId function);
  void add_connections(std::vector<NodeId>& found) const;
  [[nodiscard]] NodeId pattern_of_parameter(NodeId declaration) const;

  Place place_of_name(NodeId name);
  Place place_of_field(NodeId owner, std::string_view name);
  Place place_of_call(NodeId call);
  Place place_of_stored(NodeId value);
  std::string external_by_type(NodeId annotation);
  std::string external_of_name(NodeId name);
  bool captures_connection(NodeId function);

  const Ast& ast_;
  const Scopes& scopes_;
  const Classes& classes_;
  const Modules& modules_;
  std::unordered_map<NodeId, std::vector<std::string_view>> connections_;  // and their own members
  std::vector<NodeId> calls_;
  std::vector<Store> stores_;
  std::unordered_map<std::string_view, std::vector<NodeId>> listening_;  // calls of on() by event
  std::vector<NodeId> user_data_;  // of uWebSockets.js: what an upgrade attaches to a connection
  std::unordered_map<std::string_view, std::vector<NodeId>> writes_;  // `x.name = …` by name
  std::unordered_map<NodeId, std::vector<NodeId>> derived_;           // class to its subclasses
  ParameterValues arguments_;
  std::unordered_map<NodeId, std::vector<NodeId>> calls_of_;    // function to calls
  std::unordered_map<NodeId, std::vector<NodeId>> makings_of_;  // class to new-expressions
  std::unordered_map<std::string_view, NodeId> globals_;        // first use of each global name
  std::map<Place, std::vector<NodeId>> elements_;
  std::unordered_map<NodeId, Place> stored_in_;  // a fresh value to the place it is stored in

  std::unordered_map<NodeId, std::vector<NodeId>> sources_;  // answers, also while being worked out
  std::unordered_map<NodeId, Place> places_;
  std::unordered_map<NodeId, std::string> externals_;
  std::unordered_map<NodeId, bool> holding_;
  static constexpr std::size_t max_sources_ = 40;  // answers to one question
  static constexpr int max_depth_ = 24;            // questions that lead to questions
  int depth_ = 0;
};

}  // namespace ebbtide
