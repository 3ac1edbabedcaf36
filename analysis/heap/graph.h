// Answers: which objects does a JavaScript heap hold and who refers to whom? One model, whoever
// read it: a live process's memory (live_heap.h) or a .heapsnapshot file (snapshot.h).
#pragma once

#include <cstdint>
#include <limits>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace ebbtide {

using NodeIndex = std::uint32_t;
inline constexpr NodeIndex no_node = std::numeric_limits<NodeIndex>::max();

enum class NodeKind : std::uint8_t {
  hidden,  // V8's own: maps, descriptor arrays, feedback
  array,   // backing stores: elements, properties, hash tables
  string,  // of any representation
  number,  // heap numbers, bigints
  symbol,
  object,     // JavaScript objects, contexts among them ("system / Context")
  closure,    // functions; name: the function's
  code,       // SharedFunctionInfo, Script; in snapshots what is compiled too
  native,     // memory outside the heap: ArrayBuffer backing stores, C++ objects
  synthetic,  // roots
  compiled,   // bytecode, machine code, and what V8 learned to make it; told in live heaps only
};

enum class EdgeKind : std::uint8_t {
  context,   // a variable in a context; has a name
  property,  // a property or field; has a name, "#x" when private
  element,   // an index of an array or an entry of a table; has an index
  internal,  // V8's own; has a name as DevTools shows it ("table", "context", "shared", "map", …)
};

// Strong references only: weak slots are left out by the readers, and of a WeakMap's entry there is
// the edge from the key to the value alone.
struct HeapEdge {
  NodeIndex to = no_node;
  std::uint32_t label = 0;  // kind in the two high bits; index, or place of the name in `strings`

  static constexpr std::uint32_t number_mask = (1U << 30) - 1;
  [[nodiscard]] EdgeKind kind() const { return static_cast<EdgeKind>(label >> 30); }
  [[nodiscard]] std::uint32_t number() const { return label & number_mask; }
  static HeapEdge make(NodeIndex to, EdgeKind kind, std::uint32_t number) {
    return {to, static_cast<std::uint32_t>(kind) << 30 | (number & number_mask)};
  }
};

struct HeapScript {
  std::string name;            // path or URL as V8 knows it; hostile text
  std::string source;          // "" when the reader did not have it
  std::string source_map_url;  // from the script's own comment; "" when there is none
};

// Where a closure's function or an object's constructor stands.
struct HeapLocation {
  NodeIndex node = no_node;
  std::uint32_t script = 0;  // index in `scripts`
  std::uint32_t line = 0;    // from 1
  std::uint32_t column = 0;  // from 1
};

struct ContainerSize {
  NodeIndex node = no_node;
  std::uint32_t entries = 0;
};

// A timer of Node's that is running.
struct RunningTimer {
  NodeIndex node = no_node;
  NodeIndex callback = no_node;
  std::uint64_t delay_ms = 0;
  bool repeats = false;
};

// Node 0 is the root. Its children are synthetic nodes: the first, `javascript_roots`, leads to
// everything that JavaScript can reach (native contexts, stacks, V8's own roots); the second,
// `handle_roots`, to what C++ holds by handles. Nodes that neither reaches are garbage.
struct HeapGraph {
  static constexpr NodeIndex root = 0;
  static constexpr NodeIndex javascript_roots = 1;
  static constexpr NodeIndex handle_roots = 2;

  // By node.
  std::vector<NodeKind> kind;
  std::vector<std::uint32_t> name;        // place in `strings`: class, function, or V8's own word;
                                          // for strings, numbers: "" (their content is not kept)
  std::vector<std::uint32_t> self_size;   // bytes; saturated at 4 GiB - 1
  std::vector<std::uint32_t> first_edge;  // size() + 1 of them: edges of n are [n], [n + 1)
  std::vector<std::uint16_t> birth;  // the first look that had it; empty when that is not known

  std::vector<HeapEdge> edges;
  std::vector<std::string> strings;  // [0] is ""
  std::vector<HeapScript> scripts;
  std::vector<HeapLocation> locations;    // ascending by node
  std::vector<ContainerSize> containers;  // ascending by node: Map, Set, Array, dictionary mode
                                          // objects; what they hold, not their capacity
  std::vector<RunningTimer> timers;       // ascending by node; of a live heap alone

  [[nodiscard]] NodeIndex size() const { return static_cast<NodeIndex>(kind.size()); }
  [[nodiscard]] std::span<const HeapEdge> edges_of(NodeIndex node) const {
    return {edges.data() + first_edge[node], edges.data() + first_edge[node + 1]};
  }
  [[nodiscard]] std::string_view name_of(NodeIndex node) const { return strings[name[node]]; }
  [[nodiscard]] std::string_view name_of(const HeapEdge& edge) const {  // "" for elements
    return edge.kind() == EdgeKind::element ? std::string_view{} : strings[edge.number()];
  }
  // nullptr when the node has none.
  [[nodiscard]] const HeapLocation* location_of(NodeIndex node) const;
  [[nodiscard]] std::uint32_t entries_of(NodeIndex node) const;  // 0 when it is no container
};

}  // namespace ebbtide
