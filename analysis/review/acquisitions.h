// Answers: what is taken into long-lived hands and what is given back, wherever in the program? An
// acquisition and its releases meet in the owner, the place that holds the thing, or in the handle.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "analysis/review/ast.h"
#include "analysis/review/library_facts.h"
#include "analysis/review/values.h"

namespace ebbtide {

enum class AcquisitionKind : std::uint8_t {
  entry,     // a value in a collection
  listener,  // on something that is not a connection
  handle,    // a timer, socket, process, client …, given back by its own method or function
};

struct Acquisition {
  AcquisitionKind kind = AcquisitionKind::entry;
  NodeId node = 0;      // the call, assignment or new-expression
  Place owner = {};     // the collection, the emitter, or the variable or field that keeps a handle
  NodeId receiver = 0;  // the collection or emitter as written; of a handle, what it is assigned to
  NodeId key = 0;       // of an entry; 0 for a Set or an array
  NodeId value = 0;     // what is stored, or the listener
  std::string_view verb = {};   // add, set, push, unshift, "[]=", on, subscribe …
  std::string_view event = {};  // of a listener
  const HandleFacts* facts = nullptr;
  bool bounded = false;  // ends by itself: {once: true}, {signal}, takeUntil()
};

enum class RemovalVerb : std::uint8_t {
  one,     // delete(x), delete o[x], o[x] = null; off(event, f); a handle's end
  splice,  // by index
  shift,   // the oldest or newest: pop, shift
  filter,  // owner = owner.filter(…)
  all,     // clear(), length = 0, a fresh collection; removeAllListeners()
};

struct Release {
  AcquisitionKind kind = AcquisitionKind::entry;
  NodeId node = 0;
  Place owner = {};
  NodeId receiver = 0;
  NodeId key = 0;  // what is deleted, the index of a splice, the listener; 0 when none is named
  RemovalVerb verb = RemovalVerb::one;
  std::string_view event = {};
  NodeId handle = 0;  // the acquiring expression
};

struct Acquisitions {
  std::vector<Acquisition> acquired;
  std::vector<Release> released;
};

Acquisitions find_acquisitions(const Ast& ast, const Scopes& scopes, Values& values);

// What a value that was just made is assigned to: the name, the member, or 0.
NodeId slot_of(const Ast& ast, NodeId made);

// Whether the release, if it works, gives back what was acquired: the same handle; the same emitter
// and event; the same collection, one around it, or a field of that name of an owner that is not
// known.
bool answers(const Release& release, const Acquisition& acquisition);

// A container made to be filled: new Set(), [], {}, new Set([first]).
bool is_container(const Ast& ast, NodeId value);
bool is_empty_container(const Ast& ast, NodeId value);

}  // namespace ebbtide
