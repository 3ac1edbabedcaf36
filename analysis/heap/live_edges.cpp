// The edges of LiveGraph: which references an object has and what DevTools calls them.
#include <algorithm>
#include <bit>
#include <cmath>

#include "analysis/heap/live_graph.h"

namespace ebbtide {
namespace {

constexpr std::uint64_t elements_slot = 16;
constexpr std::uint64_t context_previous = 24;
constexpr std::uint64_t number_value = 8;           // of a HeapNumber
constexpr double longest_delay_ms = 2'147'483'647;  // setTimeout() takes no more

}  // namespace

std::uint32_t LiveGraph::slot_name(std::uint64_t offset) {
  const auto slot = offset / 8;
  constexpr std::uint64_t most_named = 4096;
  if (slot >= most_named) return 0;
  if (slot_names_.size() <= slot) slot_names_.resize(slot + 1, 0);
  if (slot_names_[slot] == 0) slot_names_[slot] = text(std::to_string(slot));
  return slot_names_[slot];
}

// What the read-only space holds is held by V8 itself: no edge leads there but the root's.
void LiveGraph::edge(std::uint64_t word, EdgeKind kind, std::uint32_t number) {
  if (!is_reference(word)) return;
  const auto address = untagged(word);
  const LivePage* page = memory_.page_of(address);
  if (page == nullptr || !page->in_graph || page->read_only || (address & 7) != 0) return;
  const auto place = LiveMemory::word_in_page(address);
  if (!page->starts.get(place)) return;
  edge_to(page->first_node + page->starts.count_before(place), kind, number);
}

void LiveGraph::emit_roots(const LiveRoots& roots) {
  const auto begin_node = [&] {
    graph_.first_edge.push_back(static_cast<std::uint32_t>(graph_.edges.size()));
  };
  begin_node();
  edge_to(HeapGraph::javascript_roots, EdgeKind::element, 1);
  edge_to(HeapGraph::handle_roots, EdgeKind::element, 2);

  begin_node();
  for (const Address context : roots.native_contexts) {
    edge(context + 1, EdgeKind::internal, text("native context"));
  }
  for (const LivePage& page : memory_.pages()) {
    if (!page.in_graph || !page.read_only) continue;
    const auto name = text("read-only");
    auto node = page.first_node;
    for (auto word = page.starts.next(0); word < WordBits::words;
         word = page.starts.next(word + 1)) {
      edge_to(node++, EdgeKind::internal, name);
    }
  }

  begin_node();
  std::uint32_t index = 0;
  for (const Address object : roots.handles) edge(object + 1, EdgeKind::element, index++);
}

void LiveGraph::emit(const Object& object) {
  const LiveMap& map = objects_.map(object.map);
  if (map.receiver) {
    emit_receiver(object);
  } else if (layout_.is_context(map.type)) {
    emit_context(object);
  } else if (map.type == layout_.property_array) {
    // Its contents are the owner's properties.
  } else if (map.type == objects_.name_dictionary()) {
    emit_dictionary_keys(object);
  } else if (layout_.type(map.type).kind == NodeKind::array) {
    emit_slots(object, EdgeKind::element, properties_slot);
  } else if (map.type == layout_.map) {
    edge(memory_.word(object.address), EdgeKind::internal, text_of_.map);
    emit_slots(object, EdgeKind::internal, layout_.map_at.prototype);
  } else if (map.type != layout_.context_cell) {
    edge(memory_.word(object.address), EdgeKind::internal, text_of_.map);
    emit_slots(object, EdgeKind::internal, properties_slot);
  }
}

// Numbered by element, or named by slot.
void LiveGraph::emit_slots(const Object& object, EdgeKind kind, std::uint64_t from) {
  objects_.each_slot(object.address, objects_.map(object.map), object.extent,
                     [&](std::uint64_t offset, std::uint64_t word) {
                       if (offset < from) return;
                       const auto number =
                           kind == EdgeKind::element
                               ? static_cast<std::uint32_t>((offset - elements_at) / 8)
                               : slot_name(offset);
                       edge(word, kind, number);
                     });
}

// --- contexts -----------------------------------------------------------------------------------

void LiveGraph::emit_context(const Object& object) {
  edge(memory_.word(object.address), EdgeKind::internal, text_of_.map);
  const auto scope = memory_.word(object.address + elements_at);
  const auto length = memory_.word(object.address + properties_slot);
  const LiveNames::Variables* variables = nullptr;
  if (is_reference(scope) && is_smi(length) && objects_.type_of_word(scope) == layout_.scope_info) {
    variables = &names_.variables(untagged(scope), static_cast<std::uint32_t>(smi_value(length)));
  }
  objects_.each_slot(object.address, objects_.map(object.map), object.extent,
                     [&](std::uint64_t offset, std::uint64_t word) {
                       const auto slot = (offset - elements_at) / 8;
                       if (offset == elements_at)
                         return edge(word, EdgeKind::internal, text_of_.scope_info);
                       if (offset == context_previous)
                         return edge(word, EdgeKind::internal, text_of_.previous);
                       if (variables == nullptr || slot < variables->first ||
                           slot - variables->first >= variables->names.size()) {
                         return edge(word, EdgeKind::internal, slot_name(offset));
                       }
                       // Variables that are assigned to live in cells of their own, in newer
                       // versions.
                       if (objects_.type_of_word(word) == layout_.context_cell) {
                         edge(word, EdgeKind::internal, text_of_.cell);
                         word = memory_.word(untagged(word) + layout_.context_cell_value);
                       }
                       edge(word, EdgeKind::context, variables->names[slot - variables->first]);
                     });
}

// --- JavaScript objects -------------------------------------------------------------------------

void LiveGraph::emit_receiver(const Object& object) {
  const LiveMap& map = objects_.map(object.map);
  edge(memory_.word(object.address), EdgeKind::internal, text_of_.map);
  emit_outside_properties(object);
  note_thread_id(object);
  note_timer(object);
  const auto elements = memory_.word(object.address + elements_slot);
  if (is_reference(elements)) {
    edge(elements, EdgeKind::internal, text_of_.elements);
    const auto node = node_of(elements);
    if (node != no_node && graph_.kind[node] == NodeKind::array) {
      graph_.name[node] = text_of_.object_elements;
    }
  }
  emit_fields(object, map);
  const auto buffer =
      std::ranges::lower_bound(buffers_, object.node, {}, &std::pair<NodeIndex, NodeIndex>::first);
  if (buffer != buffers_.end() && buffer->first == object.node) {
    edge_to(buffer->second, EdgeKind::internal, text_of_.backing_store);
  }
}

void LiveGraph::emit_fields(const Object& object, const LiveMap& map) {
  const auto first_field = memory_.read<std::uint8_t>(map.address + 9);
  const auto& names = names_.fields(object.map);
  const bool function = graph_.kind[object.node] == NodeKind::closure;
  const bool collection = map.type == layout_.js_map || map.type == layout_.js_set ||
                          map.type == layout_.js_weak_map || map.type == layout_.js_weak_set;
  objects_.each_slot(object.address, map, object.extent,
                     [&](std::uint64_t offset, std::uint64_t word) {
                       if (offset < first_own_slot) return;
                       const auto slot = offset / 8;
                       if (slot >= first_field) {
                         const auto field = slot - first_field;
                         const auto name = field < names.size() ? names[field] : 0;
                         if (name != 0) return edge(word, EdgeKind::property, name);
                       }
                       if (function && offset == layout_.function_at.context) {
                         return edge(word, EdgeKind::internal, text_of_.context);
                       }
                       if (function && offset == layout_.function_at.shared) {
                         return edge(word, EdgeKind::internal, text_of_.shared);
                       }
                       if (collection && offset == layout_.collection_table) {
                         return edge(word, EdgeKind::internal, text_of_.table);
                       }
                       edge(word, EdgeKind::internal, slot_name(offset));
                     });
}

// The store behind the properties slot: fields that did not fit, or a hash table.
void LiveGraph::emit_outside_properties(const Object& object) {
  const auto word = memory_.word(object.address + properties_slot);
  if (!is_reference(word)) return;
  const Address store = untagged(word);
  const auto index = objects_.map_of(store);
  const auto node = node_of(word);
  if (index == no_map || node == no_node) return;
  const LiveMap& map = objects_.map(object.map);
  edge(word, EdgeKind::internal, text_of_.properties);
  if (!take(store)) return;
  if (map.type == layout_.global_object) return emit_global_properties(store);
  if (graph_.kind[node] == NodeKind::array) graph_.name[node] = text_of_.object_properties;
  const LiveMap& store_map = objects_.map(index);
  if (store_map.type == objects_.name_dictionary()) return emit_dictionary(store);
  if (store_map.type != layout_.property_array) return;

  const auto first_field = memory_.read<std::uint8_t>(map.address + 9);
  const auto inside = map.words > first_field ? map.words - first_field : 0;
  const auto& names = names_.fields(object.map);
  objects_.each_slot(store, store_map, objects_.extent(store, store_map),
                     [&](std::uint64_t offset, std::uint64_t value) {
                       if (offset < elements_at) return;
                       const auto field = (offset - elements_at) / 8 + inside;
                       edge(value, EdgeKind::property, field < names.size() ? names[field] : 0);
                     });
}

// {counts, prefix, key, value, details, key, …}
void LiveGraph::emit_dictionary(Address dictionary) {
  const auto index = objects_.map_of(dictionary);
  const auto extent = objects_.extent(dictionary, objects_.map(index));
  const auto begin = elements_at + 8ULL * (3 + layout_.name_dictionary_prefix);
  std::optional<std::int32_t> id;
  bool names_main = false;
  for (std::uint64_t at = begin; at + 24 <= extent; at += 24) {
    const auto key = memory_.word(dictionary + at);
    if (!is_reference(key) || !names_.is_name(key)) continue;
    const auto value = memory_.word(dictionary + at + 8);
    const auto name = names_.property(key);
    edge(value, EdgeKind::property, name);
    if (name == text_of_.thread_id && is_smi(value)) id = smi_value(value);
    names_main = names_main || name == text_of_.is_main_thread;
  }
  if (id && names_main && !thread_id_) thread_id_ = id;
}

// Node's binding "worker" says on which thread the isolate runs.
void LiveGraph::note_thread_id(const Object& object) {
  if (thread_id_) return;
  if (maps_without_thread_id_.size() <= object.map)
    maps_without_thread_id_.resize(object.map + 1UL);
  if (maps_without_thread_id_[object.map]) return;
  maps_without_thread_id_[object.map] = true;
  const auto& names = names_.fields(object.map);
  const auto has = [&](std::uint32_t name) {
    return std::ranges::find(names, name) != names.end();
  };
  if (!has(text_of_.thread_id) || !has(text_of_.is_main_thread)) return;
  const auto id = names_.own_property(object.address, "threadId");
  const auto main = names_.own_property(object.address, "isMainThread");
  if (is_smi(id) && is_reference(main)) thread_id_ = smi_value(id);
}

std::optional<double> LiveGraph::number_of(std::uint64_t word) const {
  if (is_smi(word)) return smi_value(word);
  if (!is_reference(word)) return std::nullopt;
  if (layout_.type(objects_.type_of_word(word)).kind != NodeKind::number) return std::nullopt;
  return std::bit_cast<double>(memory_.word(untagged(word) + number_value));
}

// A Timeout is known by its fields. One that was cleared or has fired is in no list: _idleNext is
// null then.
void LiveGraph::note_timer(const Object& object) {
  if (maps_of_timers_.size() <= object.map) maps_of_timers_.resize(object.map + 1UL);
  auto& is_timer = maps_of_timers_[object.map];
  if (!is_timer) {
    const auto& names = names_.fields(object.map);
    const auto has = [&](std::uint32_t name) {
      return std::ranges::find(names, name) != names.end();
    };
    is_timer = has(text_of_.idle_timeout) && has(text_of_.on_timeout);
  }
  if (!*is_timer) return;
  const auto next = names_.own_property(object.address, "_idleNext");
  if (!is_reference(next) || !layout_.is_receiver(objects_.type_of_word(next))) return;
  const auto delay = number_of(names_.own_property(object.address, "_idleTimeout"));
  if (!delay || !(*delay >= 0 && *delay <= longest_delay_ms)) return;
  graph_.timers.push_back({object.node, node_of(names_.own_property(object.address, "_onTimeout")),
                           static_cast<std::uint64_t>(std::llround(*delay)),
                           number_of(names_.own_property(object.address, "_repeat")).has_value()});
}

void LiveGraph::emit_dictionary_keys(const Object& object) {
  const auto begin = elements_at + 8ULL * (3 + layout_.name_dictionary_prefix);
  for (std::uint64_t at = begin; at + 24 <= object.extent; at += 24) {
    edge(memory_.word(object.address + at), EdgeKind::element,
         static_cast<std::uint32_t>((at - begin) / 24));
  }
}

// A global variable is a cell of its own: {map, name, details, value, …}
void LiveGraph::emit_global_properties(Address dictionary) {
  const auto index = objects_.map_of(dictionary);
  const auto extent = objects_.extent(dictionary, objects_.map(index));
  for (std::uint64_t at = elements_at; at + 8 <= extent; at += 8) {
    const auto cell = memory_.word(dictionary + at);
    if (objects_.type_of_word(cell) != layout_.property_cell) continue;
    const auto name = memory_.word(untagged(cell) + properties_slot);
    if (!names_.is_name(name)) continue;
    edge(memory_.word(untagged(cell) + layout_.cell_value), EdgeKind::property,
         names_.property(name));
  }
}

// What a node leads to outside of its own memory. Nodes come in ascending order.
void LiveGraph::emit_outside(NodeIndex node) {
  for (; next_buffer_ < buffers_.size() && buffers_[next_buffer_].first <= node; ++next_buffer_) {
    edge_to(buffers_[next_buffer_].second, EdgeKind::internal, text_of_.backing_store);
  }
  while (next_weak_entry_ < weak_entries_.size() && weak_entries_[next_weak_entry_].key <= node) {
    edge_to(weak_entries_[next_weak_entry_++].value, EdgeKind::internal, text_of_.weak_value);
  }
}

}  // namespace ebbtide
