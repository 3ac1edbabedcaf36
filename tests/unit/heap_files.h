// Answers: where does a test get heap snapshots from? From every Node the tests have, and from
// hand-made files.
#pragma once

#include <cstdint>
#include <nlohmann/json.hpp>
#include <string>
#include <utility>
#include <vector>

#include "analysis/heap/graph.h"

namespace ebbtide {

// Runs heap_population.js (what it holds is to be read there) on that major version of Node, which
// writes its heap to `path`.
void write_population(int node_major, const std::string& path);

// Line and column, from 1, of the '|' in `text`, which the script has without it.
std::pair<std::uint32_t, std::uint32_t> position_in_population(const std::string& text);

void write_file(const std::string& path, const std::string& bytes);

// A snapshot of three nodes that has everything the format knows: root → (GC roots) → object.
nlohmann::ordered_json small_snapshot();

// Of a class, what is an object.
std::vector<NodeIndex> objects_named(const HeapGraph& graph, const std::string& name);

// The edge's target; no_node when the node has none of this name.
NodeIndex follow(const HeapGraph& graph, NodeIndex from, EdgeKind kind, const std::string& name);

}  // namespace ebbtide
