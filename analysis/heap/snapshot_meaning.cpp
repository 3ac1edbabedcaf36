#include "analysis/heap/snapshot_meaning.h"

#include <utility>
#include <vector>

#include "analysis/heap/snapshot_containers.h"
#include "analysis/heap/snapshot_scripts.h"

namespace ebbtide {
namespace {

void name_nodes(HeapGraph& graph, SnapshotStrings& strings) {
  for (NodeIndex node = 0; node < graph.size(); ++node) {
    const bool kept = graph.kind[node] != NodeKind::string && graph.kind[node] != NodeKind::number;
    graph.name[node] = kept ? strings.place(graph.name[node]) : 0;
  }
  graph.name[HeapGraph::javascript_roots] = strings.intern("(JavaScript roots)");
  graph.name[HeapGraph::handle_roots] = strings.intern("(C++ handles)");
}

// Rewrites the contents' edges in place, from the front: no more is written than was read.
class EdgeRewriter {
 public:
  EdgeRewriter(SnapshotContents& contents, const std::vector<bool>& listed_by_owner)
      : graph_(contents.graph), strings_(contents.strings), listed_by_owner_(listed_by_owner) {}

  void rewrite() {
    begin_ = graph_.first_edge[HeapGraph::handle_roots + 1];
    write_roots();
    for (NodeIndex node = HeapGraph::handle_roots + 1; node < graph_.size(); ++node) {
      const std::uint32_t end = graph_.first_edge[node + 1];
      graph_.first_edge[node] = written_;
      if (!is_weak_group(node)) rewrite_edges(node, end);
      begin_ = end;
    }
    graph_.first_edge.back() = written_;
    graph_.edges.resize(written_);
  }

 private:
  [[nodiscard]] bool is_named(NodeIndex node, Word first, Word last) const {
    return graph_.kind[node] == NodeKind::synthetic &&
           graph_.name[node] >= static_cast<std::uint32_t>(first) &&
           graph_.name[node] <= static_cast<std::uint32_t>(last);
  }
  [[nodiscard]] bool is_gc_roots(NodeIndex node) const {
    return is_named(node, Word::gc_roots, Word::gc_roots);
  }
  [[nodiscard]] bool is_handle_group(NodeIndex node) const {
    return is_named(node, Word::global_handles, Word::eternal_handles);
  }
  // V8 writes as strong what these tables do not keep alive.
  [[nodiscard]] bool is_weak_group(NodeIndex node) const {
    return is_named(node, Word::external_strings, Word::weak_roots);
  }

  // V8 shortcuts to the contexts and groups its own roots under names in brackets. Whatever else
  // stands at the root was put there by C++ code: Node's Environment, its socket wrappers.
  [[nodiscard]] bool is_javascript_root(const HeapEdge& edge) const {
    return edge.kind() == EdgeKind::property ||
           strings_.kept()[graph_.name[edge.to]].starts_with('(');
  }

  void write_roots() {
    std::vector<HeapEdge> of_javascript;
    std::vector<HeapEdge> of_handles;
    for (const HeapEdge& edge : graph_.edges_of(HeapGraph::root)) {
      (is_javascript_root(edge) ? of_javascript : of_handles).push_back(edge);
      if (!is_gc_roots(edge.to)) continue;
      for (const HeapEdge& group : graph_.edges_of(edge.to))
        if (is_handle_group(group.to)) of_handles.push_back(group);
    }
    const std::vector<HeapEdge> of_root = {
        HeapEdge::make(HeapGraph::javascript_roots, EdgeKind::element, 0),
        HeapEdge::make(HeapGraph::handle_roots, EdgeKind::element, 1)};
    write_list(HeapGraph::root, of_root);
    write_list(HeapGraph::javascript_roots, of_javascript);
    write_list(HeapGraph::handle_roots, of_handles);
  }

  void write_list(NodeIndex node, const std::vector<HeapEdge>& list) {
    graph_.first_edge[node] = written_;
    for (const HeapEdge& edge : list) graph_.edges[written_++] = translated(edge);
  }

  void rewrite_edges(NodeIndex node, std::uint32_t end) {
    const bool is_array = graph_.kind[node] == NodeKind::array;
    const bool is_listed = listed_by_owner_[node];
    const bool has_groups = is_gc_roots(node);
    for (std::uint32_t place = begin_; place < end; ++place) {
      const HeapEdge edge = translated(graph_.edges[place]);
      const bool is_slot = edge.kind() == EdgeKind::element;
      // Of a WeakMap's pair the key has an edge to the value, too, and that is the one to keep.
      const bool is_pair = is_array && edge.kind() == EdgeKind::internal &&
                           edge.number() == static_cast<std::uint32_t>(Word::pair);
      if (is_pair || (is_listed && is_slot) || (has_groups && is_handle_group(edge.to))) continue;
      graph_.edges[written_++] = edge;
    }
  }

  // From the file's strings to the graph's. V8 names an array's slots by their number.
  HeapEdge translated(const HeapEdge& edge) {
    const EdgeKind kind = edge.kind();
    const std::uint32_t number = edge.number();
    if (kind == EdgeKind::element) return edge;
    if (number == SnapshotContents::no_name) return HeapEdge::make(edge.to, kind, 0);
    if (kind == EdgeKind::internal && strings_.is_number(number))
      return HeapEdge::make(edge.to, EdgeKind::element, strings_.number(number));
    return HeapEdge::make(edge.to, kind, strings_.place(number));
  }

  HeapGraph& graph_;
  SnapshotStrings& strings_;
  const std::vector<bool>& listed_by_owner_;
  std::uint32_t begin_ = 0;    // of the edges of the node that is next
  std::uint32_t written_ = 0;  // edges
};

}  // namespace

HeapGraph make_graph(SnapshotContents contents, JsonScanner& scanner) {
  HeapGraph& graph = contents.graph;
  find_scripts(contents, scanner);
  name_nodes(graph, contents.strings);
  SnapshotContainers containers = find_containers(contents);
  EdgeRewriter(contents, containers.is_listed_by_owner).rewrite();
  graph.containers = std::move(containers.sizes);
  graph.strings = contents.strings.take();
  return std::move(graph);
}

}  // namespace ebbtide
