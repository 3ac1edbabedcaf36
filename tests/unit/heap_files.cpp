#include "tests/unit/heap_files.h"

#include <algorithm>
#include <fstream>
#include <stdexcept>

#include "tests/unit/node_program.h"

namespace ebbtide {

void write_population(int node_major, const std::string& path) {
  run_node(node_major, {SOURCE_DIR "/tests/unit/heap_population.js", path});
}

std::pair<std::uint32_t, std::uint32_t> position_in_population(const std::string& text) {
  const std::string before = text.substr(0, text.find('|'));
  const std::string script = text_of_file(SOURCE_DIR "/tests/unit/heap_population.js");
  const std::size_t found = script.find(before + text.substr(before.size() + 1));
  if (found == std::string::npos) throw std::runtime_error("the script has no " + text);
  const auto place = script.begin() + static_cast<std::ptrdiff_t>(found + before.size());
  const auto line_start = std::find(std::make_reverse_iterator(place), script.rend(), '\n').base();
  return {std::count(script.begin(), place, '\n') + 1, place - line_start + 1};
}

void write_file(const std::string& path, const std::string& bytes) {
  std::ofstream(path, std::ios::binary) << bytes;
}

nlohmann::ordered_json small_snapshot() {
  return nlohmann::ordered_json::parse(R"json({
    "snapshot": {
      "meta": {
        "node_fields": ["type", "name", "id", "self_size", "edge_count"],
        "node_types": [["synthetic", "object", "string", "array", "closure", "code", "hidden"],
                       "string", "number", "number", "number"],
        "edge_fields": ["type", "name_or_index", "to_node"],
        "edge_types": [["property", "element", "weak", "internal", "shortcut", "hidden"],
                       "string_or_number", "node"],
        "location_fields": ["object_index", "script_id", "line", "column"]
      },
      "node_count": 3, "edge_count": 2
    },
    "nodes": [0, 0, 1, 0, 1,  0, 1, 3, 0, 1,  1, 2, 5, 40, 0],
    "edges": [1, 1, 5,  0, 3, 10],
    "locations": [10, 7, 4, 27],
    "strings": ["", "(GC roots)", "Session", "kept"]
  })json");
}

std::vector<NodeIndex> objects_named(const HeapGraph& graph, const std::string& name) {
  std::vector<NodeIndex> found;
  for (NodeIndex node = 0; node < graph.size(); ++node) {
    if (graph.kind[node] == NodeKind::object && graph.name_of(node) == name) found.push_back(node);
  }
  return found;
}

NodeIndex follow(const HeapGraph& graph, NodeIndex from, EdgeKind kind, const std::string& name) {
  for (const HeapEdge& edge : graph.edges_of(from)) {
    if (edge.kind() == kind && graph.name_of(edge) == name) return edge.to;
  }
  return no_node;
}

}  // namespace ebbtide
