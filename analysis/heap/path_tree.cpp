#include "analysis/heap/path_tree.h"

#include <algorithm>

#include "analysis/statistics.h"

namespace ebbtide {
namespace {

constexpr std::uint32_t most_names = 32;  // that lead from one place to objects of one class
constexpr std::uint16_t deepest = 48;
constexpr int steps_compared = 4;

std::uint64_t mixed(std::uint64_t a, std::uint64_t b) {
  return SplitMix64(a ^ (b * 0x9e3779b97f4a7c15)).next();
}

// FNV-1a (Fowler, Noll, Vo): ids are written to files, so the hash must never change.
std::uint64_t text_id(std::string_view text) {
  std::uint64_t hash = 0xcbf29ce484222325;
  for (const char byte : text) hash = (hash ^ static_cast<unsigned char>(byte)) * 0x100000001b3;
  return hash;
}

bool is_digit(char byte) { return byte >= '0' && byte <= '9'; }
bool is_hex(char byte) { return is_digit(byte) || ((byte | 32) >= 'a' && (byte | 32) <= 'f'); }
bool is_letter(char byte) {
  return ((byte | 32) >= 'a' && (byte | 32) <= 'z') || byte == '_' || byte == '$';
}

}  // namespace

bool looks_like_data(std::string_view name) {
  if (name.empty() || name.starts_with('<') || name.starts_with('#')) return false;
  std::size_t digits = 0, hex = 0, letters = 0;
  for (const char byte : name) {
    digits += is_digit(byte) ? 1 : 0;
    hex += is_hex(byte) ? 1 : 0;
    letters += is_letter(byte) ? 1 : 0;
  }
  if (digits == 0) return false;
  const bool separated = digits + letters < name.size();  // "a-1", "10.0.0.1", "/room/7"
  const std::size_t tail = name.size() - (name.find_last_not_of("0123456789") + 1);
  return separated || letters == 0 || tail >= 3 || (hex == name.size() && name.size() >= 8);
}

std::size_t PathTree::KeyHash::operator()(const Key& key) const {
  return mixed(key.parent_and_step, key.edge_and_class);
}

PathTree::PathTree(const HeapGraph& graph, const ClassTable& classes, const ContextScopes& scopes,
                   std::string_view isolate, DataPlaces& data_places)
    : graph_(&graph),
      classes_(&classes),
      scopes_(&scopes),
      isolate_(isolate),
      data_places_(&data_places),
      class_ids_(classes.classes.size(), 0),
      name_is_data_(graph.strings.size(), 0) {
  for (const std::string_view root : {"javascript", "handles"}) {
    PathNode node;
    node.parent = static_cast<PathIndex>(nodes_.size());
    node.id = mixed(text_id(isolate), text_id(root));
    nodes_.push_back(node);
  }
}

std::uint64_t PathTree::class_id(ClassIndex index) {
  if (index == no_class) return 0;
  std::uint64_t& id = class_ids_[index];
  if (id != 0) return id;
  const ObjectClass& made = classes_->classes[index];
  id = mixed(text_id(graph_->strings[made.name]), static_cast<std::uint64_t>(made.kind));
  if (made.located() && made.location.script < graph_->scripts.size()) {
    id = mixed(id, text_id(script_path(graph_->scripts[made.location.script].name)));
    id = mixed(id, std::uint64_t{made.location.line} << 32 | made.location.column);
  }
  return id;
}

std::uint64_t PathTree::scope_id(ScopeIndex index) const {
  const ContextScope& scope = scopes_->scope(index);
  return scope.script == nullptr ? 1 : mixed(text_id(scope.script->path()), scope.lexical);
}

PathIndex PathTree::find_or_make(const PathNode& wanted) {
  const Key key{std::uint64_t{wanted.parent} << 8 | static_cast<std::uint64_t>(wanted.step) << 2 |
                    static_cast<std::uint64_t>(wanted.role),
                std::uint64_t{wanted.edge} << 32 |
                    (wanted.role == PathNode::Role::context ? wanted.scope : wanted.class_index)};
  const auto [found, fresh] = children_.try_emplace(key, static_cast<PathIndex>(nodes_.size()));
  if (!fresh) return found->second;
  PathNode made = wanted;
  const PathNode& parent = nodes_[wanted.parent];
  made.depth = static_cast<std::uint16_t>(parent.depth + 1);
  const std::uint64_t what = wanted.role == PathNode::Role::context ? scope_id(wanted.scope)
                                                                    : class_id(wanted.class_index);
  made.id = mixed(mixed(parent.id, text_id(graph_->strings[wanted.edge])),
                  mixed(key.parent_and_step & 0xff, what));
  if (made.id == 0) made.id = 1;
  nodes_.push_back(made);
  if (wanted.step == PathStep::property) count_name(wanted.parent, wanted.class_index);
  return found->second;
}

PathIndex PathTree::repeated(PathIndex parent, const PathNode& wanted) {
  PathIndex at = parent;
  for (int i = 0; i < steps_compared && nodes_[at].step != PathStep::root; ++i) {
    PathNode& node = nodes_[at];
    if (node.role == PathNode::Role::told && node.step == wanted.step && node.edge == wanted.edge &&
        node.class_index == wanted.class_index) {
      node.recurs = true;
      return at;
    }
    at = node.parent;
  }
  return no_node;
}

void PathTree::count_name(PathIndex parent, ClassIndex class_index) {
  const std::uint64_t place = mixed(nodes_[parent].id, class_id(class_index));
  if (++names_below_[place] <= most_names) return;
  stale_ = data_places_->insert(place).second || stale_;
}

bool PathTree::is_data(PathIndex parent, std::uint32_t edge, ClassIndex class_index) {
  std::uint8_t& known = name_is_data_[edge];
  if (known == 0) known = looks_like_data(graph_->strings[edge]) ? 2 : 1;
  return known == 2 || (!data_places_->empty() &&
                        data_places_->contains(mixed(nodes_[parent].id, class_id(class_index))));
}

PathIndex PathTree::child(PathIndex parent, PathStep step, std::uint32_t edge,
                          ClassIndex class_index) {
  PathNode wanted;
  wanted.parent = parent;
  wanted.step = step;
  wanted.edge = edge;
  wanted.class_index = class_index;
  if (step == PathStep::property && is_data(parent, edge, class_index)) {
    wanted.step = PathStep::element;
    wanted.edge = 0;
  }
  const PathIndex earlier = repeated(parent, wanted);
  if (earlier != no_node) return earlier;
  return nodes_[parent].depth >= deepest ? parent : find_or_make(wanted);
}

PathIndex PathTree::context(PathIndex parent, ScopeIndex scope) {
  PathNode wanted;
  wanted.parent = scopes_->scope(scope).runs_once ? javascript : parent;
  wanted.step = PathStep::internal;
  wanted.role = PathNode::Role::context;
  wanted.scope = scope;
  const PathNode& above = nodes_[wanted.parent];
  const bool same = above.role == PathNode::Role::context && above.scope == scope;
  return same || above.depth >= deepest ? wanted.parent : find_or_make(wanted);
}

PathIndex PathTree::global_object() {
  PathNode wanted;
  wanted.parent = javascript;
  wanted.step = PathStep::internal;
  wanted.role = PathNode::Role::global_object;
  return find_or_make(wanted);
}

PathTree PathTree::rebuilt(std::vector<PathIndex>& moved) const {
  PathTree tree(*graph_, *classes_, *scopes_, isolate_, *data_places_);
  moved = {javascript, handles};
  moved.reserve(nodes_.size());
  for (PathIndex i = handles + 1; i < nodes_.size(); ++i) {
    const PathNode& node = nodes_[i];
    const PathIndex parent = moved[node.parent];
    PathIndex place = parent;
    switch (node.role) {
      case PathNode::Role::told:
        place = tree.child(parent, node.step, node.edge, node.class_index);
        break;
      case PathNode::Role::context:
        place = tree.context(parent, node.scope);
        break;
      case PathNode::Role::global_object:
        place = tree.global_object();
        break;
    }
    moved.push_back(place);
    if (node.recurs) tree.nodes_[place].recurs = true;
  }
  return tree;
}

}  // namespace ebbtide
