#include "analysis/heap/digest.h"

#include <fmt/format.h>

#include <algorithm>
#include <unordered_set>
#include <utility>

#include "analysis/heap/path_assignment.h"
#include "analysis/heap/script_sources.h"

namespace ebbtide {
namespace {

// Fewer cannot be told from chance; a path that was kept once stays, down to its end.
constexpr std::uint64_t objects_worth_a_row = 4;
constexpr std::uint64_t entries_worth_a_row = 16;
constexpr std::uint64_t bytes_worth_a_row = 64 * 1024;
constexpr std::size_t most_rows = 20000;
constexpr std::uint64_t class_bytes_worth_a_row = 16 * 1024;
constexpr std::size_t most_timer_kinds = 200;

}  // namespace

struct HeapDigester::State {
  explicit State(ReadText read_text) : sources(std::move(read_text)) {}

  ScriptSources sources;
  DataPlaces data_places;
  std::unordered_set<std::uint64_t> kept_paths;
};

namespace {

// By node: belongs to the code that V8 compiled. So do arrays that hang on it: constants, what
// optimised code takes for granted.
std::vector<bool> find_compiled(const HeapGraph& graph, const RetainerTree& tree) {
  std::vector<bool> compiled(graph.size());
  for (const NodeIndex node : tree.order) {
    const NodeIndex parent = tree.parent[node];
    compiled[node] = graph.kind[node] == NodeKind::compiled ||
                     (graph.kind[node] == NodeKind::array && parent != no_node && compiled[parent]);
  }
  return compiled;
}

// Adds an object to the sum it belongs to.
void count_object(const HeapGraph& graph, const RetainerTree& tree,
                  const std::vector<bool>& compiled, NodeIndex node, HeapCensus& census) {
  const std::uint32_t size = graph.self_size[node];
  const Reach reach = tree.reach[node];
  if (reach == Reach::garbage) {
    census.garbage_bytes += size;
    return;
  }
  if (graph.kind[node] != NodeKind::synthetic) ++census.objects;
  const bool external =
      graph.kind[node] == NodeKind::native && graph.kind[tree.parent[node]] == NodeKind::object;
  if (external) {
    census.external_bytes += size;
  } else if (compiled[node]) {
    census.compiled_bytes += size;
  } else {
    (reach == Reach::javascript ? census.reachable_bytes : census.handle_bytes) += size;
  }
}

// Makes the rows of one look.
class Digestion {
 public:
  Digestion(const HeapGraph& graph, ScriptSources& sources, std::uint32_t cycle,
            const std::string& isolate)
      : graph_(graph), sources_(sources), cycle_(cycle), isolate_(isolate) {}

  HeapDigest run(DataPlaces& data_places, std::unordered_set<std::uint64_t>& kept_paths) {
    retainers_ = retainers(graph_);
    classes_ = find_classes(graph_);
    take_census();
    write_timers();
    const ContextScopes scopes(graph_, sources_);
    scopes_ = &scopes;
    const HeapPaths paths = assign_paths(graph_, retainers_, classes_, scopes,
                                         PathTree(graph_, classes_, scopes, isolate_, data_places));
    const auto sums = sum_paths(graph_, retainers_, dominators(graph_), classes_, paths);
    write_paths(paths.tree, sums, kept_paths);
    return std::move(digest_);
  }

 private:
  void take_census();
  void write_timers();
  void write_classes(const std::vector<HeapClass>& counted);
  [[nodiscard]] CodePosition callback_position(NodeIndex callback);
  [[nodiscard]] static std::vector<bool> choose(
      const PathTree& tree, const std::vector<PathSums>& sums,
      const std::unordered_set<std::uint64_t>& kept_paths);
  void write_paths(const PathTree& tree, const std::vector<PathSums>& sums,
                   std::unordered_set<std::uint64_t>& kept_paths);
  [[nodiscard]] HeapPath row_of(const PathTree& tree, PathIndex index) const;
  [[nodiscard]] CodePosition declaration(const PathTree& tree, const PathNode& node) const;
  [[nodiscard]] CodePosition field_declaration(ClassIndex owner, std::string_view name) const;
  [[nodiscard]] CodePosition export_declaration(std::string_view name) const;
  [[nodiscard]] CodePosition global_declaration(std::string_view name) const;
  [[nodiscard]] CodePosition class_position(ClassIndex index) const;
  [[nodiscard]] std::string class_text(ClassIndex index) const;
  [[nodiscard]] const ScriptSource* source_of(ClassIndex index) const;

  const HeapGraph& graph_;
  ScriptSources& sources_;
  std::uint32_t cycle_;
  const std::string& isolate_;
  RetainerTree retainers_;
  ClassTable classes_;
  const ContextScopes* scopes_ = nullptr;
  HeapDigest digest_;
};

const ScriptSource* Digestion::source_of(ClassIndex index) const {
  if (index == no_class) return nullptr;
  const ObjectClass& made = classes_.classes[index];
  if (!made.located() || made.location.script >= graph_.scripts.size()) return nullptr;
  return &sources_.of(graph_.scripts[made.location.script]);
}

CodePosition Digestion::class_position(ClassIndex index) const {
  const ScriptSource* source = source_of(index);
  if (source == nullptr) return {};
  const HeapLocation& location = classes_.classes[index].location;
  return source->position({location.line, location.column});
}

std::string Digestion::class_text(ClassIndex index) const {
  if (index == no_class) return "";
  const ObjectClass& made = classes_.classes[index];
  std::string name = graph_.strings[made.name];
  if (made.kind != NodeKind::closure) return name;
  if (name.empty()) name = "(anonymous)";
  const CodePosition position = class_position(index);
  if (position.line == 0) return name + "()";
  return fmt::format("{} @ {}:{}:{}", name, base_name(position.script), position.line,
                     position.column);
}

CodePosition Digestion::global_declaration(std::string_view name) const {
  for (const HeapScript& script : graph_.scripts) {
    if (!is_user_script(script_path(script.name))) continue;
    const ScriptSource& source = sources_.of(script);
    if (source.declarations() == nullptr) continue;
    if (const auto place = source.declarations()->global(name)) return source.position(*place);
  }
  return {};
}

// In the class of the object that has the property; the class itself when its text does not say.
CodePosition Digestion::field_declaration(ClassIndex owner, std::string_view name) const {
  const ScriptSource* source = source_of(owner);
  if (source == nullptr) return {};
  const HeapLocation& location = classes_.classes[owner].location;
  const TextPlace place{location.line, location.column};
  const Declarations* declarations = source->declarations();
  const auto field = declarations != nullptr ? declarations->field(place, name) : std::nullopt;
  return source->position(field.value_or(place));
}

// What a CommonJS module exports hangs on an object that does not say whose it is: the one script
// that assigns such an export tells.
CodePosition Digestion::export_declaration(std::string_view name) const {
  CodePosition found;
  for (const HeapScript& script : graph_.scripts) {
    if (!is_user_script(script_path(script.name))) continue;
    const ScriptSource& source = sources_.of(script);
    if (source.declarations() == nullptr) continue;
    const auto place = source.declarations()->exported(name);
    if (!place) continue;
    if (found.line != 0) return {};
    found = source.position(*place);
  }
  return found;
}

CodePosition Digestion::declaration(const PathTree& tree, const PathNode& node) const {
  const std::string_view name = graph_.strings[node.edge];
  const PathNode& owner = tree.nodes()[node.parent];
  const bool of_context = owner.role == PathNode::Role::context;
  if (node.step == PathStep::variable && of_context) {
    const ContextScope& scope = scopes_->scope(owner.scope);
    if (scope.script == nullptr) return {};
    if (const Declarations* declarations = scope.script->declarations()) {
      if (const auto place = declarations->variable(scope.lexical, name)) {
        return scope.script->position(*place);
      }
    }
    return {scope.script->path(), 0, 0, ""};
  }
  if (node.step == PathStep::global) {
    const CodePosition assigned = global_declaration(name);
    if (assigned.line != 0) return assigned;
  }
  if (node.step == PathStep::property && graph_.strings[owner.edge] == "exports") {
    const CodePosition exported = export_declaration(name);
    if (exported.line != 0) return exported;
  }
  if (node.step == PathStep::property) {
    const CodePosition field = field_declaration(owner.class_index, name);
    if (is_user_script(field.script)) return field;
  }
  return class_position(node.class_index);
}

void Digestion::take_census() {
  HeapCensus& census = digest_.census;
  census.cycle = cycle_;
  census.isolate = isolate_;
  std::vector<HeapClass> counted(classes_.classes.size());
  const std::vector<bool> compiled = find_compiled(graph_, retainers_);
  for (NodeIndex node = 0; node < graph_.size(); ++node) {
    count_object(graph_, retainers_, compiled, node, census);
    const ClassIndex class_index = classes_.of[node];
    if (class_index == no_class) continue;
    HeapClass& row = counted[class_index];
    const Reach reach = retainers_.reach[node];
    if (reach == Reach::garbage) ++row.garbage_objects;
    if (reach == Reach::handles) ++row.handle_objects;
    if (reach != Reach::javascript) continue;
    ++row.objects;
    row.bytes += graph_.self_size[node];
  }
  write_classes(counted);
}

// By what they call and when; many connections have a timer of the same kind each.
void Digestion::write_timers() {
  for (const RunningTimer& timer : graph_.timers) {
    if (retainers_.reach[timer.node] == Reach::garbage) continue;
    HeapTimer row{.cycle = cycle_,
                  .isolate = isolate_,
                  .callback = callback_position(timer.callback),
                  .delay_ms = timer.delay_ms,
                  .repeats = timer.repeats,
                  .count = 1};
    const auto same = std::ranges::find_if(digest_.timers, [&](const HeapTimer& known) {
      return known.delay_ms == row.delay_ms && known.repeats == row.repeats &&
             known.callback == row.callback;
    });
    if (same != digest_.timers.end()) {
      ++same->count;
    } else if (digest_.timers.size() < most_timer_kinds) {
      digest_.timers.push_back(std::move(row));
    }
  }
}

CodePosition Digestion::callback_position(NodeIndex callback) {
  const HeapLocation* location = callback == no_node ? nullptr : graph_.location_of(callback);
  if (location == nullptr || location->script >= graph_.scripts.size()) return {};
  const HeapScript& script = graph_.scripts[location->script];
  if (script.name.starts_with("node:")) return {};
  return sources_.of(script).position({location->line, location->column});
}

void Digestion::write_classes(const std::vector<HeapClass>& counted) {
  for (ClassIndex index = 0; index < counted.size(); ++index) {
    HeapClass row = counted[index];
    const std::uint64_t all = row.objects + row.handle_objects + row.garbage_objects;
    if (all < objects_worth_a_row && row.bytes < class_bytes_worth_a_row) continue;
    row.cycle = cycle_;
    row.isolate = isolate_;
    row.name = graph_.strings[classes_.classes[index].name];
    if (row.name.empty()) row.name = "(anonymous)";
    row.position = class_position(index);
    digest_.classes.push_back(std::move(row));
  }
}

// Paths worth a row, with all that are above them.
std::vector<bool> Digestion::choose(const PathTree& tree, const std::vector<PathSums>& sums,
                                    const std::unordered_set<std::uint64_t>& kept_paths) {
  std::vector<bool> chosen;
  std::size_t rows = 0;
  for (std::uint64_t scale = 1; chosen.empty() || rows > most_rows; scale *= 2) {
    chosen.assign(sums.size(), false);
    for (auto i = static_cast<PathIndex>(sums.size()); i-- > 0;) {
      const PathSums& sum = sums[i];
      const PathNode& node = tree.nodes()[i];
      const bool earlier = scale == 1 && sum.objects > 0 && kept_paths.contains(node.id);
      chosen[i] = chosen[i] || earlier || sum.objects >= objects_worth_a_row * scale ||
                  sum.entries >= entries_worth_a_row * scale ||
                  sum.retained_bytes >= bytes_worth_a_row * scale;
      if (chosen[i]) chosen[node.parent] = true;
    }
    rows = static_cast<std::size_t>(std::ranges::count(chosen, true));
  }
  return chosen;
}

HeapPath Digestion::row_of(const PathTree& tree, PathIndex index) const {
  const PathNode& node = tree.nodes()[index];
  HeapPath row;
  row.id = node.id;
  row.isolate = isolate_;
  row.step = node.step;
  if (node.step == PathStep::root) {
    row.class_name = index == PathTree::handles ? "(C++ handles)" : "(JavaScript roots)";
    return row;
  }
  PathIndex parent = node.parent;
  while (tree.nodes()[parent].role != PathNode::Role::told) parent = tree.nodes()[parent].parent;
  row.parent = tree.nodes()[parent].id;
  row.edge = graph_.strings[node.edge];
  row.class_name = class_text(node.class_index);
  row.position = declaration(tree, node);
  return row;
}

void Digestion::write_paths(const PathTree& tree, const std::vector<PathSums>& sums,
                            std::unordered_set<std::uint64_t>& kept_paths) {
  const std::vector<bool> chosen = choose(tree, sums, kept_paths);
  for (PathIndex i = 0; i < chosen.size(); ++i) {
    const PathNode& node = tree.nodes()[i];
    if (node.role != PathNode::Role::told) continue;
    if (!chosen[i] && node.step != PathStep::root) {
      digest_.paths_left_out += sums[i].objects > 0 ? 1 : 0;
      continue;
    }
    kept_paths.insert(node.id);
    digest_.paths.push_back(row_of(tree, i));
    digest_.levels.push_back(
        {cycle_, node.id, sums[i].objects, sums[i].bytes, sums[i].retained_bytes, sums[i].entries});
  }
}

}  // namespace

HeapCensus weigh_heap(const HeapGraph& graph) {
  const RetainerTree tree = retainers(graph);
  const std::vector<bool> compiled = find_compiled(graph, tree);
  HeapCensus census;
  for (NodeIndex node = 0; node < graph.size(); ++node)
    count_object(graph, tree, compiled, node, census);
  return census;
}

HeapDigester::HeapDigester(ReadText read_text)
    : state_(std::make_unique<State>(std::move(read_text))) {}

HeapDigester::~HeapDigester() = default;

HeapDigest HeapDigester::digest(const HeapGraph& graph, std::uint32_t cycle,
                                const std::string& isolate) {
  return Digestion(graph, state_->sources, cycle, isolate)
      .run(state_->data_places, state_->kept_paths);
}

}  // namespace ebbtide
