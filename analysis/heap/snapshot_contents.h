// Answers: what does a snapshot file say, before anything is made of it? Its members in whatever
// order they come, checked for consistency.
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <span>
#include <string>

#include "analysis/heap/graph.h"
#include "analysis/heap/json_scanner.h"
#include "analysis/heap/snapshot_layout.h"
#include "analysis/heap/snapshot_strings.h"

namespace ebbtide {

// A graph whose names and labels still are the file's numbers of strings, whose locations have V8's
// script ids, and whose nodes are two further on than in the file (its first aside), so that
// `javascript_roots` and `handle_roots` have their places.
struct SnapshotContents {
  static constexpr NodeIndex inserted = 2;
  static constexpr std::uint32_t no_name = HeapEdge::number_mask;  // of an edge

  HeapGraph graph;  // its first edges are unused: room for those of the inserted nodes
  SnapshotStrings strings;
  std::uint64_t max_id = 0;
};

class SnapshotReader {
 public:
  SnapshotReader(JsonScanner& scanner, std::span<const std::uint64_t> earlier_max_ids)
      : scanner_(scanner), earlier_max_ids_(earlier_max_ids) {}

  // False: see the scanner's error().
  bool read(SnapshotContents& contents);

 private:
  struct Member {
    const char* name;
    bool (SnapshotReader::*read)();
    unsigned needs;  // those that must have been read, a bit each
  };
  static const std::array<Member, 5> members;

  bool read_members();
  bool read_or_put_off(const std::string& name);
  bool read_member(std::size_t member);
  bool read_put_off();
  bool read_snapshot();
  bool read_nodes();
  bool add_node(const std::uint64_t* record);
  void insert_roots();
  bool read_edges();
  bool to_next_source();
  bool add_edge(const std::uint64_t* record);
  bool read_strings();
  bool read_locations();
  bool check_name(std::uint64_t name);
  [[gnu::cold]] bool refuse(const char* reason, std::uint64_t value);
  bool find_node(std::uint64_t place, NodeIndex& node);

  JsonScanner& scanner_;
  std::span<const std::uint64_t> earlier_max_ids_;
  SnapshotContents* contents_ = nullptr;
  SnapshotLayout layout_;
  std::array<std::optional<std::uint64_t>, 5> begins_;  // of each member that was seen
  double per_width_ = 0;                                // of a node record
  unsigned done_ = 0;                                   // members, a bit each
  std::uint64_t edges_announced_ = 0;                   // by the nodes
  std::uint64_t synthetic_edges_ = 0;                   // of those
  NodeIndex source_ = 0;                                // whose edges are being read
  std::uint32_t edges_left_ = 0;                        // of the source
};

}  // namespace ebbtide
