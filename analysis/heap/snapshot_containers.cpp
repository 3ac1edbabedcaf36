#include "analysis/heap/snapshot_containers.h"

#include <array>
#include <bit>

namespace ebbtide {
namespace {

// V8's OrderedHashTable: three numbers, a bucket each for two entries, then the entries; an entry
// of a Map is key, value, chain, of a Set key, chain. Only heap objects make an edge of their slot:
// a Map from numbers to numbers looks empty.
struct HashTable {
  std::uint32_t first_entry = 0;
  std::uint32_t entry_slots = 0;  // 0: this is no hash table
};

HashTable hash_table_of(std::uint32_t bytes) {
  struct Words {
    std::uint32_t header, slot;
  };
  constexpr std::array<Words, 2> whole_and_compressed = {{{16, 8}, {8, 4}}};
  constexpr std::uint32_t prefix = 3;
  for (const Words& words : whole_and_compressed) {
    if (bytes < words.header || (bytes - words.header) % words.slot != 0) continue;
    const std::uint32_t slots = (bytes - words.header) / words.slot;
    for (const std::uint32_t entry_slots : {3U, 2U}) {
      const std::uint32_t per_bucket = 1 + 2 * entry_slots;
      const std::uint32_t buckets = slots < prefix ? 0 : (slots - prefix) / per_bucket;
      if (std::has_single_bit(buckets) && prefix + buckets * per_bucket == slots)
        return {prefix + buckets, entry_slots};
    }
  }
  return {};
}

class ContainerFinder {
 public:
  explicit ContainerFinder(const SnapshotContents& contents)
      : graph_(contents.graph), strings_(contents.strings) {
    found_.is_listed_by_owner.resize(graph_.size());
  }

  SnapshotContainers find() {
    for (NodeIndex node = 0; node < graph_.size(); ++node) {
      if (graph_.kind[node] == NodeKind::object) look_at(node);
    }
    return std::move(found_);
  }

 private:
  void look_at(NodeIndex object) {
    std::uint32_t entries = 0;
    NodeIndex elements = no_node;
    for (const HeapEdge& edge : graph_.edges_of(object)) {
      if (edge.kind() == EdgeKind::element) ++entries;
      if (edge.kind() != EdgeKind::internal) continue;
      if (is(edge, Word::table)) entries += entries_of_table(edge.to);
      if (is(edge, Word::properties)) entries += entries_of_dictionary(object, edge.to);
      if (is(edge, Word::elements)) elements = edge.to;
    }
    if (entries > 0) found_.sizes.push_back({object, entries});
    if (entries > 0 && elements != no_node) found_.is_listed_by_owner[elements] = true;
  }

  [[nodiscard]] bool is(const HeapEdge& edge, Word word) const {
    return edge.number() != SnapshotContents::no_name && strings_.is(edge.number(), word);
  }

  // A slot of an array, with something in it.
  [[nodiscard]] bool is_filled_slot(const HeapEdge& edge) const {
    return edge.kind() == EdgeKind::internal && edge.number() != SnapshotContents::no_name &&
           strings_.is_number(edge.number()) && !is_hole(edge.to);
  }

  [[nodiscard]] bool is_hole(NodeIndex node) const {
    return graph_.kind[node] == NodeKind::hidden &&
           graph_.name[node] == static_cast<std::uint32_t>(Word::hole);
  }

  [[nodiscard]] std::uint32_t entries_of_table(NodeIndex table) const {
    const auto [first_entry, entry_slots] = hash_table_of(graph_.self_size[table]);
    if (entry_slots == 0) return 0;
    std::uint32_t entries = 0;
    std::uint32_t next_entry = 0;  // the lowest that was not counted yet
    for (const HeapEdge& edge : graph_.edges_of(table)) {
      if (!is_filled_slot(edge) || strings_.number(edge.number()) < first_entry) continue;
      const std::uint32_t entry = (strings_.number(edge.number()) - first_entry) / entry_slots;
      if (entry < next_entry) continue;
      ++entries;
      next_entry = entry + 1;
    }
    return entries;
  }

  // In dictionary mode the store has the keys as well as the values; in fast mode it has some of
  // the values only, all of which are properties of the object, too.
  [[nodiscard]] std::uint32_t entries_of_dictionary(NodeIndex object, NodeIndex store) const {
    std::uint32_t stored = 0;
    for (const HeapEdge& edge : graph_.edges_of(store)) stored += is_filled_slot(edge) ? 1 : 0;
    std::uint32_t values = 0;
    for (const HeapEdge& edge : graph_.edges_of(object)) {
      const bool own = edge.kind() == EdgeKind::property && !is(edge, Word::prototype);
      values += own && !is_hole(edge.to) ? 1 : 0;
    }
    return stored > values ? stored - values : 0;
  }

  const HeapGraph& graph_;
  const SnapshotStrings& strings_;
  SnapshotContainers found_;
};

}  // namespace

SnapshotContainers find_containers(const SnapshotContents& contents) {
  return ContainerFinder(contents).find();
}

}  // namespace ebbtide
