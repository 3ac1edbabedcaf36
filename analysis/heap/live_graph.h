// Answers: what does one isolate's heap look like as a graph? Its objects in the order of their
// addresses, what they refer to, and the names of both.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <unordered_map>
#include <unordered_set>
#include <utility>
#include <vector>

#include "analysis/heap/graph.h"
#include "analysis/heap/live_isolates.h"
#include "analysis/heap/live_names.h"
#include "analysis/heap/live_objects.h"

namespace ebbtide {

class LiveGraph {
 public:
  LiveGraph(LiveMemory& memory, LiveLayout& layout, LiveObjects& objects)
      : memory_(memory), layout_(layout), objects_(objects), names_(memory, layout, objects) {}

  HeapGraph make(std::uint16_t isolate, const LiveRoots& roots);

  // Node's own number of the thread that the isolate runs on, 0 for the main one; known after
  // make(), when there was one.
  [[nodiscard]] std::optional<std::int32_t> thread_id() const { return thread_id_; }

 private:
  // A value that a WeakMap keeps for as long as the key is there.
  struct WeakEntry {
    NodeIndex key = no_node;
    NodeIndex value = no_node;
  };
  struct Object {
    Address address = 0;
    MapIndex map = no_map;
    NodeIndex node = no_node;
    std::uint64_t extent = 0;
  };

  template <class Visit>
  void each_object(Visit visit);
  void number_nodes(std::uint16_t isolate);
  void describe(const Object& object);
  void collect_weak_entries(Address table);
  void add_backing_store(const Object& object);

  void emit_roots(const LiveRoots& roots);
  void emit(const Object& object);
  void emit_receiver(const Object& object);
  void emit_fields(const Object& object, const LiveMap& map);
  void emit_outside_properties(const Object& object);
  void emit_dictionary(const Object& owner, Address dictionary);
  void emit_global_properties(Address dictionary);
  void emit_context(const Object& object);
  void emit_slots(const Object& object, EdgeKind kind, std::uint64_t from);
  void emit_dictionary_keys(const Object& object);
  void emit_weak_values(NodeIndex key);
  void measure_container(const Object& object, const LiveMap& map);
  void note_thread_id(const Object& object, MapIndex map);

  [[nodiscard]] NodeIndex node_of(std::uint64_t word) const;
  void edge(std::uint64_t word, EdgeKind kind, std::uint32_t number);
  void edge_to(NodeIndex node, EdgeKind kind, std::uint32_t number) {
    graph_.edges.push_back(HeapEdge::make(node, kind, number));
  }
  std::uint32_t text(std::string_view text) { return names_.texts().place(text); }
  std::uint32_t slot_name(std::uint64_t offset);

  LiveMemory& memory_;
  LiveLayout& layout_;
  LiveObjects& objects_;
  LiveNames names_;
  HeapGraph graph_;
  NodeIndex next_native_ = 0;

  std::unordered_set<Address> consumed_;                  // stores whose entries an owner has taken
  std::vector<WeakEntry> weak_entries_;                   // ascending by key
  std::unordered_map<Address, NodeIndex> stores_;         // native nodes by address
  std::vector<std::pair<NodeIndex, NodeIndex>> buffers_;  // ArrayBuffer, native; ascending
  std::vector<std::uint32_t> slot_names_;
  std::unordered_map<MapIndex, bool> thread_id_maps_;
  std::optional<std::int32_t> thread_id_;
};

}  // namespace ebbtide
