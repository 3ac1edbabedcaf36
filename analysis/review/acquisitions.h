// Answers: what is taken into long-lived hands and what is given back, wherever in the program? An
// acquisition and its release meet in the owner: the place that holds the thing.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "analysis/review/ast.h"
#include "analysis/review/library_facts.h"
#include "analysis/review/values.h"

namespace ebbtide {

// A value put into a collection.
struct Tracked {
  NodeId node = 0;  // the call or assignment
  Place owner;
  NodeId receiver = 0;
  NodeId key = 0;  // 0 for a Set or an array
  NodeId value = 0;
  std::string_view verb;  // add, set, push, unshift, "[]="
};

enum class RemovalVerb : std::uint8_t {
  remove_key,  // delete(x), delete o[x], o[x] = null
  splice,      // by index
  shift,       // the oldest or newest: pop, shift
  filter,      // owner = owner.filter(…)
  all,         // clear(), length = 0, a fresh collection
};

// A value taken out of a collection.
struct Removal {
  NodeId node = 0;
  Place owner;
  NodeId receiver = 0;
  NodeId key = 0;  // what is deleted, or the index of a splice; 0 when none is named
  RemovalVerb verb = RemovalVerb::remove_key;
};

// A listener on something that is not a connection.
struct Subscription {
  NodeId node = 0;
  Place emitter;
  NodeId receiver = 0;
  std::string_view event;
  NodeId handler = 0;
  bool bounded = false;  // {once: true}, {signal}
};

struct Unsubscription {
  NodeId node = 0;
  Place emitter;
  std::string_view event;  // "": all
  NodeId handler = 0;      // 0: all
};

// A timer, socket, process, client …: given back by its own method or function.
struct Handle {
  NodeId node = 0;
  const HandleFacts* facts = nullptr;
};

struct HandleRelease {
  NodeId node = 0;
  NodeId handle = 0;  // the acquiring expression
};

struct Acquisitions {
  std::vector<Tracked> tracked;
  std::vector<Removal> removals;
  std::vector<Subscription> subscriptions;
  std::vector<Unsubscription> unsubscriptions;
  std::vector<Handle> handles;
  std::vector<HandleRelease> handle_releases;
};

Acquisitions find_acquisitions(const Ast& ast, const Scopes& scopes, Values& values);

// Whether a removal from `removed` can take out what was put into `kept`: the same owner, an owner
// around it, or a field of that name of an owner that is not known.
bool may_remove(const Place& removed, const Place& kept);

// An empty container, made to be filled: new Set(), [], {}.
bool is_fresh_container(const Ast& ast, NodeId value);

}  // namespace ebbtide
