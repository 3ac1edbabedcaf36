#include "analysis/heap/snapshot_scripts.h"

#include <unordered_map>

namespace ebbtide {
namespace {

class ScriptFinder {
 public:
  ScriptFinder(SnapshotContents& contents, JsonScanner& scanner)
      : graph_(contents.graph), strings_(contents.strings), scanner_(scanner) {}

  void find() {
    for (HeapLocation& location : graph_.locations) {
      const auto fresh = static_cast<std::uint32_t>(graph_.scripts.size());
      const auto [known, is_new] = places_.emplace(location.script, fresh);
      if (is_new) graph_.scripts.emplace_back();
      location.script = known->second;
      HeapScript& script = graph_.scripts[location.script];
      if (script.name.empty() && graph_.kind[location.node] == NodeKind::closure)
        describe(script, script_of(location.node));
    }
  }

 private:
  [[nodiscard]] NodeIndex script_of(NodeIndex closure) {
    const NodeIndex shared = target(closure, Word::shared);
    if (shared == no_node) return no_node;
    const NodeIndex script = target(shared, Word::script);
    return script != no_node ? script : target(shared, Word::script_or_debug_info);
  }

  [[nodiscard]] NodeIndex target(NodeIndex node, Word word) {
    for (const HeapEdge& edge : graph_.edges_of(node)) {
      if (edge.kind() == EdgeKind::internal && edge.number() != SnapshotContents::no_name &&
          strings_.is(edge.number(), word))
        return edge.to;
    }
    return no_node;
  }

  // What a script's comments say has no names in the file: of its strings without a name the source
  // map's URL is the last, after the one that may stand for its own name.
  void describe(HeapScript& script, NodeIndex node) {
    if (node == no_node || graph_.kind[node] != NodeKind::code) return;
    script.name = strings_.kept()[strings_.place(graph_.name[node])];
    NodeIndex url = no_node;
    for (const HeapEdge& edge : graph_.edges_of(node)) {
      if (edge.kind() == EdgeKind::internal && edge.number() == SnapshotContents::no_name &&
          graph_.kind[edge.to] == NodeKind::string)
        url = edge.to;
    }
    if (url == no_node) return;
    script.source_map_url = strings_.look_up(scanner_, graph_.name[url]);
    if (script.source_map_url == script.name) script.source_map_url.clear();
  }

  HeapGraph& graph_;
  SnapshotStrings& strings_;
  JsonScanner& scanner_;
  std::unordered_map<std::uint32_t, std::uint32_t> places_;  // of scripts, by V8's id
};

}  // namespace

void find_scripts(SnapshotContents& contents, JsonScanner& scanner) {
  ScriptFinder(contents, scanner).find();
}

}  // namespace ebbtide
