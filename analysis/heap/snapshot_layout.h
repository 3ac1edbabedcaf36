// Answers: what do the columns of this snapshot mean? V8's versions differ in the fields, their
// order and the numbers of the types; the file's own "snapshot" member tells.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "analysis/heap/graph.h"

namespace ebbtide {

// Fields and edge types as V8 names them; `shortcut` and what nobody knows count as properties.
enum class FileEdge : std::uint8_t { context, element, property, internal, hidden, weak };

struct SnapshotLayout {
  static constexpr unsigned most_fields = 16;  // of a record; V8 has 7

  struct NodeFields {
    unsigned width = 0, type = 0, name = 0, id = 0, self_size = 0, edge_count = 0;
  } node;
  struct EdgeFields {
    unsigned width = 0, type = 0, name_or_index = 0, to_node = 0;
  } edge;
  struct LocationFields {  // width 0: the file has none
    unsigned width = 0, object_index = 0, script_id = 0, line = 0, column = 0;
  } location;

  std::vector<NodeKind> node_kinds;  // by the file's number of the type
  std::vector<FileEdge> edge_kinds;
  std::uint64_t node_count = 0;  // as announced; 0 when it is not
  std::uint64_t edge_count = 0;
};

// `snapshot`: the text of that member. "" on success, else what is wrong with it.
std::string parse_layout(const std::string& snapshot, SnapshotLayout& layout);

}  // namespace ebbtide
