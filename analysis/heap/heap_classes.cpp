#include "analysis/heap/heap_classes.h"

#include <unordered_map>

#include "analysis/statistics.h"

namespace ebbtide {
namespace {

// A class with a place of its own: classes of one name may stand in several scripts.
struct PlacedClass {
  std::uint32_t name = 0;
  NodeKind kind = NodeKind::object;
  std::uint32_t script = 0;
  std::uint32_t line = 0;
  std::uint32_t column = 0;

  bool operator==(const PlacedClass&) const = default;
};

struct PlacedClassHash {
  std::size_t operator()(const PlacedClass& key) const {
    return SplitMix64((std::uint64_t{key.name} << 32 | key.script << 4 |
                       static_cast<std::uint64_t>(key.kind)) ^
                      (std::uint64_t{key.line} << 20 | key.column) * 0x9e3779b97f4a7c15)
        .next();
  }
};

bool has_class(const HeapGraph& graph, NodeIndex node) {
  const NodeKind kind = graph.kind[node];
  return kind == NodeKind::closure || kind == NodeKind::native ||
         (kind == NodeKind::object && !graph.name_of(node).starts_with("system / "));
}

}  // namespace

bool is_context(const HeapGraph& graph, NodeIndex node) {
  return graph.kind[node] == NodeKind::object && graph.name_of(node) == "system / Context";
}

ClassTable find_classes(const HeapGraph& graph) {
  ClassTable table;
  table.of.assign(graph.size(), no_class);
  std::vector<ClassIndex> without_place(graph.strings.size() * 3, no_class);  // by name and kind
  std::unordered_map<PlacedClass, ClassIndex, PlacedClassHash> with_place;
  auto location = graph.locations.begin();
  for (NodeIndex node = 0; node < graph.size(); ++node) {
    while (location != graph.locations.end() && location->node < node) ++location;
    if (!has_class(graph, node)) continue;
    const NodeKind kind = graph.kind[node];
    const auto fresh = static_cast<ClassIndex>(table.classes.size());
    ObjectClass made{graph.name[node], kind, {node, 0, 0, 0}};
    if (location != graph.locations.end() && location->node == node) {
      made.location = *location;
      const PlacedClass key{made.name, kind, location->script, location->line, location->column};
      table.of[node] = with_place.try_emplace(key, fresh).first->second;
    } else {
      const std::size_t row = kind == NodeKind::closure ? 0 : kind == NodeKind::object ? 1 : 2;
      ClassIndex& known = without_place[row * graph.strings.size() + made.name];
      if (known == no_class) known = fresh;
      table.of[node] = known;
    }
    if (table.of[node] == fresh) table.classes.push_back(made);
  }
  return table;
}

}  // namespace ebbtide
