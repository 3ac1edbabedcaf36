#include "analysis/heap/live_graph.h"

#include <algorithm>
#include <cstring>
#include <limits>

#include "analysis/heap/big_pages.h"

namespace ebbtide {
namespace {

std::uint32_t saturated(std::uint64_t bytes) {
  return static_cast<std::uint32_t>(
      std::min<std::uint64_t>(bytes, std::numeric_limits<std::uint32_t>::max()));
}

}  // namespace

// --- nodes --------------------------------------------------------------------------------------

template <class Visit>
void LiveGraph::each_object(Visit visit) {
  for (const LivePage& page : memory_.pages()) {
    if (!page.in_graph) continue;
    auto node = page.first_node;
    for (auto word = page.starts.next(0); word < WordBits::words;
         word = page.starts.next(word + 1), ++node) {
      const Address address = page.start + word * 8ULL;
      std::uint64_t map_word = 0;
      std::memcpy(&map_word, page.bytes + word * 8ULL, sizeof map_word);
      const auto map = objects_.map_of_word(map_word);
      visit(Object{address, map, node, objects_.extent(address, objects_.map(map))});
    }
  }
}

void LiveGraph::number_nodes(std::uint16_t isolate) {
  NodeIndex next = HeapGraph::handle_roots + 1;
  for (LivePage& page : memory_.pages()) {
    page.in_graph = page.walked && (page.read_only || page.isolate == isolate);
    if (!page.in_graph) continue;
    page.taken = {};
    page.first_node = next;
    next += page.starts.index();
  }
  next_native_ = next;
  assign_in_big_pages(graph_.kind, next, NodeKind::hidden);
  assign_in_big_pages(graph_.name, next, 0U);
  assign_in_big_pages(graph_.self_size, next, 0U);
  // As many as there could be: what is not used is never touched and costs nothing.
  reserve_in_big_pages(graph_.locations, next);
  reserve_in_big_pages(graph_.containers, next);
  for (const NodeIndex root :
       {HeapGraph::root, HeapGraph::javascript_roots, HeapGraph::handle_roots}) {
    graph_.kind[root] = NodeKind::synthetic;
  }
  text_of_ = {text("map"),
              text("properties"),
              text("elements"),
              text("table"),
              text("context"),
              text("shared"),
              text("scope_info"),
              text("previous"),
              text("cell"),
              text("backing_store"),
              text("part of key -> value pair in WeakMap"),
              text("(object elements)"),
              text("(object properties)"),
              text("threadId"),
              text("isMainThread"),
              text("_idleTimeout"),
              text("_onTimeout")};
  graph_.name[HeapGraph::javascript_roots] = text("(JavaScript roots)");
  graph_.name[HeapGraph::handle_roots] = text("(Global handles)");
}

NodeIndex LiveGraph::node_of(std::uint64_t word) const {
  const auto address = untagged(word);
  const LivePage* page = memory_.page_of(address);
  if (page == nullptr || !page->in_graph || (address & 7) != 0) return no_node;
  const auto place = LiveMemory::word_in_page(address);
  return page->starts.get(place) ? page->first_node + page->starts.count_before(place) : no_node;
}

// Once each, so that what many objects share is not taken apart for every one of them.
bool LiveGraph::take(Address store) {
  LivePage* page = memory_.page_of(store);
  const auto place = LiveMemory::word_in_page(store);
  if (page == nullptr || !page->in_graph || page->taken.get(place)) return false;
  page->taken.set(place);
  return true;
}

void LiveGraph::collect_weak_entries(Address table) {
  const auto index = objects_.map_of(table);
  if (index == no_map || !take(table)) return;
  const auto extent = objects_.extent(table, objects_.map(index));
  // {counts, key, value, …}
  for (std::uint64_t at = elements_at + 24; at + 16 <= extent; at += 16) {
    const auto key = memory_.word(table + at);
    const auto value = memory_.word(table + at + 8);
    if (!is_reference(key) || !is_reference(value)) continue;
    const auto key_node = node_of(key);
    const auto value_node = node_of(value);
    if (key_node != no_node && value_node != no_node)
      weak_entries_.push_back({key_node, value_node});
  }
}

// Views share one buffer, and several buffers may share one store.
void LiveGraph::add_backing_store(const Object& object) {
  const auto store = memory_.word(object.address + layout_.buffer_at.store);
  const auto length = memory_.word(object.address + layout_.buffer_at.length);
  if (store == 0 || length == 0 || length >> 48 != 0) return;
  const auto [found, fresh] = stores_.emplace(store, next_native_);
  if (fresh) {
    ++next_native_;
    graph_.kind.push_back(NodeKind::native);
    graph_.name.push_back(text("system / JSArrayBufferData"));
    graph_.self_size.push_back(saturated(length));
  }
  buffers_.emplace_back(object.node, found->second);
}

void LiveGraph::describe(const Object& object) {
  const LiveMap& map = objects_.map(object.map);
  graph_.self_size[object.node] = saturated(object.extent);
  const TypeLayout& type = layout_.type(map.type);
  graph_.kind[object.node] = type.kind;
  if (map.type == layout_.shared_info) {
    graph_.name[object.node] = names_.function(object.address).name;
    return;
  }
  if (map.type == layout_.script) {
    const auto script = names_.script(object.address);
    graph_.name[object.node] = text(names_.script_name(script));
    return;
  }
  const LiveFunction* what = nullptr;
  if (map.receiver && names_.is_function(object.address)) {
    graph_.kind[object.node] = NodeKind::closure;
    what = &names_.function(untagged(memory_.word(object.address + layout_.function_at.shared)));
  } else {
    what = &names_.class_of(object.address, object.map);
  }
  graph_.name[object.node] = what->name;
  if (what->location.line != 0) {
    graph_.locations.push_back(what->location);
    graph_.locations.back().node = object.node;
  }
  if (map.type == layout_.bound_function) graph_.kind[object.node] = NodeKind::closure;
  if (map.type == layout_.array_buffer) add_backing_store(object);
  if (map.type == layout_.js_weak_map || map.type == layout_.js_weak_set) {
    const auto table = memory_.word(object.address + layout_.collection_table);
    if (is_reference(table)) collect_weak_entries(untagged(table));
  }
  if (map.receiver) measure_container(object, map);
}

void LiveGraph::measure_container(const Object& object, const LiveMap& map) {
  std::uint64_t count = 0;
  if (map.type == layout_.js_map || map.type == layout_.js_set) {
    const auto table = memory_.word(object.address + layout_.collection_table);
    count = is_reference(table) ? memory_.word(untagged(table) + elements_at) : 1;
  } else if (map.type == layout_.js_array) {
    count = memory_.word(object.address + first_own_slot);
  } else if (map.dictionary && map.type != layout_.global_object) {
    const auto table = memory_.word(object.address + properties_slot);
    count = is_reference(table) ? memory_.word(untagged(table) + elements_at) : 1;
  } else {
    return;
  }
  if (!is_smi(count) || smi_value(count) < 0) return;
  graph_.containers.push_back({object.node, static_cast<std::uint32_t>(smi_value(count))});
}

// --- the whole ----------------------------------------------------------------------------------

HeapGraph LiveGraph::make(std::uint16_t isolate, const LiveRoots& roots) {
  number_nodes(isolate);
  std::uint64_t words = 0;
  each_object([&](const Object& object) {
    describe(object);
    words += object.extent / 8;
  });
  std::ranges::sort(weak_entries_, {}, &WeakEntry::key);

  // At most one edge for every word.
  reserve_in_big_pages(graph_.edges, words + weak_entries_.size() + buffers_.size() +
                                         roots.handles.size() + roots.native_contexts.size());
  reserve_in_big_pages(graph_.first_edge, graph_.kind.size() + 1);
  emit_roots(roots);
  each_object([&](const Object& object) {
    graph_.first_edge.push_back(static_cast<std::uint32_t>(graph_.edges.size()));
    emit(object);
    emit_outside(object.node);
  });
  graph_.first_edge.resize(graph_.kind.size() + 1, static_cast<std::uint32_t>(graph_.edges.size()));
  graph_.strings = names_.texts().take();
  graph_.scripts = names_.take_scripts();
  return std::move(graph_);
}

}  // namespace ebbtide
