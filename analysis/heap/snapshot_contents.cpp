#include "analysis/heap/snapshot_contents.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <limits>
#include <utility>

#include "analysis/heap/big_pages.h"

namespace ebbtide {
namespace {

constexpr std::size_t longest_meta = 1 << 20;
constexpr std::uint64_t most_nodes = no_node - SnapshotContents::inserted - 1;
constexpr std::uint64_t most_edges = std::numeric_limits<std::int32_t>::max();

std::uint32_t saturated(std::uint64_t value) {
  return static_cast<std::uint32_t>(
      std::min<std::uint64_t>(value, std::numeric_limits<std::uint32_t>::max()));
}

EdgeKind kind_of(FileEdge edge) {
  switch (edge) {
    case FileEdge::context:
      return EdgeKind::context;
    case FileEdge::element:
      return EdgeKind::element;
    case FileEdge::property:
      return EdgeKind::property;
    default:
      return EdgeKind::internal;
  }
}

constexpr unsigned bit(unsigned member) { return 1U << member; }
constexpr unsigned snapshot = 0, nodes = 1, edges = 2, strings = 3, locations = 4;

}  // namespace

const std::array<SnapshotReader::Member, 5> SnapshotReader::members = {{
    {"snapshot", &SnapshotReader::read_snapshot, 0},
    {"nodes", &SnapshotReader::read_nodes, bit(snapshot)},
    {"edges", &SnapshotReader::read_edges, bit(nodes)},
    {"strings", &SnapshotReader::read_strings, bit(edges)},
    {"locations", &SnapshotReader::read_locations, bit(nodes)},
}};

bool SnapshotReader::read(SnapshotContents& contents) {
  contents_ = &contents;
  return read_members() && read_put_off();
}

bool SnapshotReader::read_members() {
  if (scanner_.file_bytes() == 0) return scanner_.fail("the file is empty");
  if (!scanner_.take('{')) return scanner_.fail("this is not a heap snapshot: no JSON object");
  if (scanner_.take('}')) return scanner_.expect_end();
  std::string name;
  do {
    if (!scanner_.read_string(&name) || !scanner_.expect(':') || !read_or_put_off(name))
      return false;
  } while (scanner_.take(','));
  return scanner_.expect('}') && scanner_.expect_end();
}

// V8 writes the members so that each can be read at once; JSON allows any order.
bool SnapshotReader::read_or_put_off(const std::string& name) {
  for (std::size_t member = 0; member < members.size(); ++member) {
    if (name != members[member].name) continue;
    if (begins_[member]) return scanner_.fail(fmt::format("a second \"{}\"", name));
    begins_[member] = scanner_.offset();
    if ((members[member].needs & ~done_) == 0) return read_member(member);
  }
  return scanner_.skip_value();
}

bool SnapshotReader::read_member(std::size_t member) {
  done_ |= bit(static_cast<unsigned>(member));
  return (this->*members[member].read)();
}

bool SnapshotReader::read_put_off() {
  for (std::size_t member = 0; member < members.size(); ++member) {
    if ((done_ & bit(static_cast<unsigned>(member))) != 0) continue;
    if (begins_[member]) {
      if (!scanner_.seek(*begins_[member]) || !read_member(member)) return false;
    } else if (member != locations) {
      return scanner_.fail(
          fmt::format("this is not a whole heap snapshot: it has no \"{}\"", members[member].name));
    }
  }
  return true;
}

bool SnapshotReader::read_snapshot() {
  const std::uint64_t start = scanner_.offset();
  std::string text;
  if (!scanner_.read_raw_value(text, longest_meta)) return false;
  const std::string wrong = parse_layout(text, layout_);
  per_width_ = 1.0 / layout_.node.width;
  return wrong.empty() || scanner_.fail(wrong, start);
}

bool SnapshotReader::read_nodes() {
  HeapGraph& graph = contents_->graph;
  const std::uint64_t fit = scanner_.file_bytes() / (2 * layout_.node.width);
  const std::size_t expected = std::min(layout_.node_count, fit) + SnapshotContents::inserted + 1;
  reserve_in_big_pages(graph.kind, expected);
  reserve_in_big_pages(graph.name, expected);
  reserve_in_big_pages(graph.self_size, expected);
  reserve_in_big_pages(graph.first_edge, expected);
  if (!earlier_max_ids_.empty()) reserve_in_big_pages(graph.birth, expected);
  std::array<std::uint64_t, SnapshotLayout::most_fields> record{};
  for (scanner_.begin_records(); scanner_.next_record(record.data(), layout_.node.width);) {
    if (!add_node(record.data())) return false;
    if (graph.size() == 1) insert_roots();
  }
  if (scanner_.failed()) return false;
  if (graph.size() == 0) return scanner_.fail("there is not one node");
  const std::uint64_t found = graph.size() - SnapshotContents::inserted;
  if (layout_.node_count != 0 && layout_.node_count != found)
    return scanner_.fail(
        fmt::format("{} nodes are announced, but there are {}", layout_.node_count, found));
  return true;
}

bool SnapshotReader::add_node(const std::uint64_t* record) {
  HeapGraph& graph = contents_->graph;
  const auto& field = layout_.node;
  const std::uint64_t type = record[field.type];
  if (type >= layout_.node_kinds.size()) return refuse("a node of the unknown type {}", type);
  if (graph.size() > most_nodes) return scanner_.fail("more nodes than can be handled");
  if (!check_name(record[field.name])) return false;
  const NodeKind kind = layout_.node_kinds[type];
  const auto name = static_cast<std::uint32_t>(record[field.name]);
  if (kind != NodeKind::string && kind != NodeKind::number) contents_->strings.want(name);
  graph.kind.push_back(kind);
  graph.name.push_back(name);
  graph.self_size.push_back(saturated(record[field.self_size]));
  edges_announced_ += saturated(record[field.edge_count]);
  if (edges_announced_ > most_edges) return scanner_.fail("more edges than can be handled");
  graph.first_edge.push_back(static_cast<std::uint32_t>(record[field.edge_count]));
  if (kind == NodeKind::synthetic) synthetic_edges_ += record[field.edge_count];
  // Even ids are addresses of C++ objects, which say nothing about time.
  const std::uint64_t id = record[field.id];
  const bool of_heap = id % 2 == 1;
  if (of_heap) contents_->max_id = std::max(contents_->max_id, id);
  if (!earlier_max_ids_.empty()) {
    const auto looks = std::ranges::lower_bound(earlier_max_ids_, id) - earlier_max_ids_.begin();
    graph.birth.push_back(of_heap ? static_cast<std::uint16_t>(looks) : 0);
  }
  return true;
}

void SnapshotReader::insert_roots() {
  HeapGraph& graph = contents_->graph;
  for (NodeIndex node = 0; node < SnapshotContents::inserted; ++node) {
    graph.kind.push_back(NodeKind::synthetic);
    graph.name.push_back(graph.name.front());
    graph.self_size.push_back(0);
    graph.first_edge.push_back(0);
    if (!earlier_max_ids_.empty()) graph.birth.push_back(0);
  }
}

// Each string takes three bytes of the file at least.
bool SnapshotReader::check_name(std::uint64_t name) {
  if (name < scanner_.file_bytes() / 2 && name < SnapshotContents::no_name) return true;
  return refuse("a name out of range: string {}", name);
}

// `first_edge` holds each node's number of edges, and from here on what its name says.
bool SnapshotReader::read_edges() {
  HeapGraph& graph = contents_->graph;
  const std::uint64_t room = SnapshotContents::inserted + synthetic_edges_ + graph.first_edge[0];
  const std::uint64_t fit = scanner_.file_bytes() / (2 * layout_.edge.width);
  reserve_in_big_pages(graph.edges, room + std::min(edges_announced_, fit));
  graph.edges.resize(std::min(room, fit));
  source_ = 0;
  edges_left_ = std::exchange(graph.first_edge[0], static_cast<std::uint32_t>(graph.edges.size()));
  std::array<std::uint64_t, SnapshotLayout::most_fields> record{};
  for (scanner_.begin_records(); scanner_.next_record(record.data(), layout_.edge.width);) {
    if (!add_edge(record.data())) return false;
  }
  if (scanner_.failed()) return false;
  if (to_next_source()) return scanner_.fail("there are fewer edges than the nodes announce");
  graph.first_edge.push_back(static_cast<std::uint32_t>(graph.edges.size()));
  return true;
}

// Goes to the node that the next edge leaves; false when no node announces another edge.
bool SnapshotReader::to_next_source() {
  HeapGraph& graph = contents_->graph;
  while (edges_left_ == 0) {
    if (++source_ == graph.size()) return false;
    edges_left_ =
        std::exchange(graph.first_edge[source_], static_cast<std::uint32_t>(graph.edges.size()));
  }
  return true;
}

bool SnapshotReader::add_edge(const std::uint64_t* record) {
  const auto& field = layout_.edge;
  if (edges_left_ == 0 && !to_next_source())
    return scanner_.fail("there are more edges than the nodes announce");
  --edges_left_;
  const std::uint64_t type = record[field.type];
  if (type >= layout_.edge_kinds.size()) return refuse("an edge of the unknown type {}", type);
  NodeIndex to = no_node;
  if (!find_node(record[field.to_node], to)) return false;
  const FileEdge edge = layout_.edge_kinds[type];
  if (edge == FileEdge::weak) return true;
  std::uint64_t number = record[field.name_or_index];
  if (edge == FileEdge::hidden) {
    number = SnapshotContents::no_name;
  } else if (edge == FileEdge::element) {
    number = std::min<std::uint64_t>(number, HeapEdge::number_mask);
  } else {
    if (!check_name(number)) return false;
    contents_->strings.want(static_cast<std::uint32_t>(number));
  }
  contents_->graph.edges.push_back(
      HeapEdge::make(to, kind_of(edge), static_cast<std::uint32_t>(number)));
  return true;
}

// The file refers to a node by where its record begins in "nodes".
bool SnapshotReader::find_node(std::uint64_t place, NodeIndex& node) {
  const std::uint64_t width = layout_.node.width;
  // The division, made a multiplication: exact wherever the remainder is 0, which is looked at.
  const std::uint64_t index =
      place >> 53 != 0
          ? no_node
          : static_cast<std::uint64_t>(
                static_cast<double>(static_cast<std::int64_t>(place)) * per_width_ + 0.5);
  if (index * width != place || index >= contents_->graph.size() - SnapshotContents::inserted)
    return refuse("a node out of range: {}", place);
  node = static_cast<NodeIndex>(index) + (index == 0 ? 0 : SnapshotContents::inserted);
  return true;
}

bool SnapshotReader::refuse(const char* reason, std::uint64_t value) {
  return scanner_.fail(fmt::format(fmt::runtime(reason), value));
}

bool SnapshotReader::read_strings() { return contents_->strings.read(scanner_); }

bool SnapshotReader::read_locations() {
  const auto& field = layout_.location;
  if (field.width == 0) return scanner_.fail("locations, whose fields its meta does not tell");
  std::vector<HeapLocation>& locations = contents_->graph.locations;
  std::array<std::uint64_t, SnapshotLayout::most_fields> record{};
  for (scanner_.begin_records(); scanner_.next_record(record.data(), field.width);) {
    HeapLocation location;
    if (!find_node(record[field.object_index], location.node)) return false;
    location.script = saturated(record[field.script_id]);
    location.line = saturated(record[field.line] + 1);
    location.column = saturated(record[field.column] + 1);
    locations.push_back(location);
  }
  std::ranges::sort(locations, {}, &HeapLocation::node);
  const auto same_node = [](const HeapLocation& left, const HeapLocation& right) {
    return left.node == right.node;
  };
  locations.erase(std::unique(locations.begin(), locations.end(), same_node), locations.end());
  return !scanner_.failed();
}

}  // namespace ebbtide
