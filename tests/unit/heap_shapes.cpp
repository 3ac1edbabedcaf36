#include "tests/unit/heap_shapes.h"

#include <algorithm>

namespace ebbtide {

HeapGraph graph_of(NodeIndex nodes, const std::vector<Reference>& references) {
  HeapGraph graph;
  graph.kind.assign(nodes, NodeKind::object);
  graph.name.assign(nodes, 0);
  graph.self_size.assign(nodes, 1);
  graph.strings = {""};
  graph.first_edge.assign(nodes + 1, 0);
  for (const Reference& reference : references) ++graph.first_edge[reference.from + 1];
  for (NodeIndex node = 0; node < nodes; ++node)
    graph.first_edge[node + 1] += graph.first_edge[node];
  graph.edges.resize(references.size());
  std::vector<std::uint32_t> next = graph.first_edge;
  for (const Reference& reference : references) {
    const auto known = std::ranges::find(graph.strings, reference.name);
    const auto name = static_cast<std::uint32_t>(known - graph.strings.begin());
    if (known == graph.strings.end()) graph.strings.push_back(reference.name);
    graph.edges[next[reference.from]++] = HeapEdge::make(reference.to, reference.kind, name);
  }
  return graph;
}

HeapGraph doubly_linked_list(NodeIndex length) {
  const NodeIndex head = HeapGraph::handle_roots + 1;
  std::vector<Reference> references = {{HeapGraph::root, HeapGraph::javascript_roots},
                                       {HeapGraph::root, HeapGraph::handle_roots},
                                       {HeapGraph::javascript_roots, head}};
  for (NodeIndex node = head; node + 1 < head + length; ++node) {
    references.push_back({node, node + 1});
    references.push_back({node + 1, node});
  }
  return graph_of(head + length, references);
}

}  // namespace ebbtide
