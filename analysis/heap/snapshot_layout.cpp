#include "analysis/heap/snapshot_layout.h"

#include <array>
#include <nlohmann/json.hpp>
#include <string_view>

namespace ebbtide {
namespace {

using Json = nlohmann::json;

struct Field {
  const char* name;
  unsigned& place;
};

// Where in a record each of the wanted fields stands.
std::string find_fields(const Json& meta, const char* list, unsigned& width,
                        const std::vector<Field>& wanted) {
  const auto fields = meta.find(list);
  if (fields == meta.end() || !fields->is_array()) return std::string("its meta has no ") + list;
  width = static_cast<unsigned>(fields->size());
  if (fields->size() > SnapshotLayout::most_fields)
    return std::string("its meta has too many ") + list;
  for (const Field& field : wanted) {
    unsigned place = 0;
    while (place < width && (*fields)[place] != field.name) ++place;
    if (place == width) return std::string("its ") + list + " lack \"" + field.name + "\"";
    field.place = place;
  }
  return "";
}

// The names of the types, by number: the list stands where the field "type" does.
const Json* type_names(const Json& meta, const char* list, unsigned place) {
  const auto types = meta.find(list);
  if (types == meta.end() || !types->is_array() || types->size() <= place) return nullptr;
  const Json& names = (*types)[place];
  return names.is_array() ? &names : nullptr;
}

template <class Kind>
struct Named {
  std::string_view name;
  Kind kind;
};

template <class Kind, std::size_t count>
std::vector<Kind> kinds_of(const Json& names, const std::array<Named<Kind>, count>& known,
                           Kind otherwise) {
  std::vector<Kind> kinds;
  for (const Json& name : names) {
    Kind kind = otherwise;
    for (const auto& each : known) {
      if (name == each.name) kind = each.kind;
    }
    kinds.push_back(kind);
  }
  return kinds;
}

constexpr std::array<Named<NodeKind>, 14> node_kind_names = {{
    {"array", NodeKind::array},
    {"string", NodeKind::string},
    {"concatenated string", NodeKind::string},
    {"sliced string", NodeKind::string},
    {"object", NodeKind::object},
    {"regexp", NodeKind::object},
    {"code", NodeKind::code},
    {"closure", NodeKind::closure},
    {"number", NodeKind::number},
    {"bigint", NodeKind::number},
    {"native", NodeKind::native},
    {"synthetic", NodeKind::synthetic},
    {"symbol", NodeKind::symbol},
    {"hidden", NodeKind::hidden},
}};

constexpr std::array<Named<FileEdge>, 5> edge_kind_names = {{
    {"context", FileEdge::context},
    {"element", FileEdge::element},
    {"internal", FileEdge::internal},
    {"hidden", FileEdge::hidden},
    {"weak", FileEdge::weak},
}};

std::uint64_t count_of(const Json& snapshot, const char* name) {
  const auto count = snapshot.find(name);
  return count != snapshot.end() && count->is_number_unsigned() ? count->get<std::uint64_t>() : 0;
}

std::string find_all_fields(const Json& meta, SnapshotLayout& layout) {
  auto& [node_width, node_type, name, id, self_size, edge_count] = layout.node;
  std::string wrong = find_fields(meta, "node_fields", node_width,
                                  {{"type", node_type},
                                   {"name", name},
                                   {"id", id},
                                   {"self_size", self_size},
                                   {"edge_count", edge_count}});
  if (!wrong.empty()) return wrong;
  auto& [edge_width, edge_type, name_or_index, to_node] = layout.edge;
  wrong =
      find_fields(meta, "edge_fields", edge_width,
                  {{"type", edge_type}, {"name_or_index", name_or_index}, {"to_node", to_node}});
  if (!wrong.empty() || !meta.contains("location_fields")) return wrong;
  auto& [location_width, object_index, script_id, line, column] = layout.location;
  return find_fields(meta, "location_fields", location_width,
                     {{"object_index", object_index},
                      {"script_id", script_id},
                      {"line", line},
                      {"column", column}});
}

}  // namespace

std::string parse_layout(const std::string& snapshot, SnapshotLayout& layout) {
  const Json parsed = Json::parse(snapshot, nullptr, false);
  if (!parsed.is_object() || !parsed.contains("meta") || !parsed["meta"].is_object())
    return "this is not a heap snapshot: no \"meta\" in its \"snapshot\"";
  const Json& meta = parsed["meta"];
  std::string wrong = find_all_fields(meta, layout);
  if (!wrong.empty()) return wrong;
  const Json* const node_types = type_names(meta, "node_types", layout.node.type);
  const Json* const edge_types = type_names(meta, "edge_types", layout.edge.type);
  if (node_types == nullptr || edge_types == nullptr) return "its meta names no types";
  layout.node_kinds = kinds_of(*node_types, node_kind_names, NodeKind::hidden);
  layout.edge_kinds = kinds_of(*edge_types, edge_kind_names, FileEdge::property);
  layout.node_count = count_of(parsed, "node_count");
  layout.edge_count = count_of(parsed, "edge_count");
  return "";
}

}  // namespace ebbtide
