#include "tests/e2e/heap_counts.h"

namespace ebbtide {

std::vector<Held> held_nodes(const HeapGraph& graph) {
  std::vector<Held> held(graph.size(), Held::not_at_all);
  std::vector<NodeIndex> open;
  const auto reach_from = [&](NodeIndex start, Held how) {
    held[start] = how;
    open.push_back(start);
    while (!open.empty()) {
      const auto node = open.back();
      open.pop_back();
      for (const HeapEdge& edge : graph.edges_of(node)) {
        if (held[edge.to] != Held::not_at_all) continue;
        held[edge.to] = how;
        open.push_back(edge.to);
      }
    }
  };
  reach_from(HeapGraph::javascript_roots, Held::by_javascript);
  reach_from(HeapGraph::handle_roots, Held::by_handles);
  return held;
}

std::map<std::string, std::uint64_t> count_classes(const HeapGraph& graph) {
  const auto held = held_nodes(graph);
  std::map<std::string, std::uint64_t> counts;
  for (NodeIndex node = 0; node < graph.size(); ++node) {
    if (held[node] != Held::not_at_all && graph.kind[node] == NodeKind::object) {
      ++counts[std::string(graph.name_of(node))];
    }
  }
  return counts;
}

std::uint64_t count_closures(const HeapGraph& graph, std::string_view function) {
  const auto held = held_nodes(graph);
  std::uint64_t count = 0;
  for (NodeIndex node = 0; node < graph.size(); ++node) {
    const bool reached = held[node] != Held::not_at_all;
    if (reached && graph.kind[node] == NodeKind::closure && graph.name_of(node) == function)
      ++count;
  }
  return count;
}

NodeIndex variable(const HeapGraph& graph, std::string_view name) {
  const auto held = held_nodes(graph);
  for (NodeIndex node = 0; node < graph.size(); ++node) {
    if (held[node] == Held::not_at_all) continue;
    for (const HeapEdge& edge : graph.edges_of(node)) {
      if (edge.kind() == EdgeKind::context && graph.name_of(edge) == name) return edge.to;
    }
  }
  return no_node;
}

NodeIndex member(const HeapGraph& graph, NodeIndex object, std::string_view name) {
  if (object == no_node) return no_node;
  for (const HeapEdge& edge : graph.edges_of(object)) {
    if (graph.name_of(edge) == name) return edge.to;
  }
  return no_node;
}

}  // namespace ebbtide
