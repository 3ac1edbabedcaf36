// Answers: what does a heap graph say of the things a test knows?
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "analysis/heap/graph.h"

namespace ebbtide {

// Nodes that the roots reach: JavaScript's first, then what only handles hold.
enum class Held : std::uint8_t { not_at_all, by_javascript, by_handles };
std::vector<Held> held_nodes(const HeapGraph& graph);

// Reached objects of a class, closures by their function's name.
std::map<std::string, std::uint64_t> count_classes(const HeapGraph& graph);
std::uint64_t count_closures(const HeapGraph& graph, std::string_view function);

// What the reached variable of that name refers to; no_node when there is none.
NodeIndex variable(const HeapGraph& graph, std::string_view name);
// What the object's edge of that name leads to.
NodeIndex member(const HeapGraph& graph, NodeIndex object, std::string_view name);

}  // namespace ebbtide
