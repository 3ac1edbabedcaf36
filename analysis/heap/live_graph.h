// Answers: what does one isolate's heap look like as a graph? Its objects in the order of their
// addresses, what they refer to, and the names of both.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <unordered_map>
#include <utility>
#include <vector>

#include "analysis/heap/graph.h"
#include "analysis/heap/live_isolates.h"
#include "analysis/heap/live_names.h"
#include "analysis/heap/live_objects.h"

namespace ebbtide {

// Where in an object, in bytes from its start.
inline constexpr std::uint64_t elements_at = 16;  // of a FixedArray: its first
inline constexpr std::uint64_t properties_slot = 8;
inline constexpr std::uint64_t first_own_slot = 24;

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
  void emit_dictionary(Address dictionary);
  void emit_global_properties(Address dictionary);
  void emit_context(const Object& object);
  void emit_slots(const Object& object, EdgeKind kind, std::uint64_t from);
  void emit_dictionary_keys(const Object& object);
  void emit_outside(NodeIndex node);
  void measure_container(const Object& object, const LiveMap& map);
  void note_thread_id(const Object& object);
  void note_timer(const Object& object);
  bool take(Address store);
  [[nodiscard]] std::optional<double> number_of(std::uint64_t word) const;

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

  // Names that many edges have.
  struct {
    std::uint32_t map = 0, properties = 0, elements = 0, table = 0, context = 0, shared = 0;
    std::uint32_t scope_info = 0, previous = 0, cell = 0, backing_store = 0, weak_value = 0;
    std::uint32_t object_elements = 0, object_properties = 0;
    std::uint32_t thread_id = 0, is_main_thread = 0, idle_timeout = 0, on_timeout = 0;
  } text_of_;
  std::vector<std::uint32_t> slot_names_;

  std::vector<WeakEntry> weak_entries_;  // ascending by key
  std::size_t next_weak_entry_ = 0;
  std::unordered_map<Address, NodeIndex> stores_;         // native nodes by address
  std::vector<std::pair<NodeIndex, NodeIndex>> buffers_;  // ArrayBuffer, native; ascending
  std::size_t next_buffer_ = 0;
  std::vector<bool> maps_without_thread_id_;
  std::vector<std::optional<bool>> maps_of_timers_;
  std::optional<std::int32_t> thread_id_;
};

}  // namespace ebbtide
