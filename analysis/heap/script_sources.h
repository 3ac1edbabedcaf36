// Answers: what does a script's text say of a place in it, and where did a person write that?
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>

#include "analysis/heap/declarations.h"
#include "analysis/heap/digest.h"
#include "analysis/heap/graph.h"
#include "analysis/heap/source_map.h"

namespace ebbtide {

// Whether a person of the project wrote it: neither the runtime's own nor a package's.
bool is_user_script(std::string_view script);

// "file:///srv/a%20b.js" → "/srv/a b.js"; other names stay as they are.
std::string script_path(std::string_view name);

// The last part of a path: "server.ts".
std::string_view base_name(std::string_view path);

class ScriptSource {
 public:
  ScriptSource(const HeapScript& script, const ReadText& read_text);

  [[nodiscard]] const std::string& path() const { return path_; }

  // nullptr when the text cannot be had.
  [[nodiscard]] const Declarations* declarations() const { return declarations_.get(); }

  // Of a place in the text that ran; through the source map where there is one.
  [[nodiscard]] CodePosition position(TextPlace place) const;

 private:
  void read_map(std::string_view url, const ReadText& read_text);

  std::string path_;
  std::string map_path_;  // what its sources are relative to
  std::unique_ptr<Declarations> declarations_;
  std::optional<SourceMap> map_;
};

// Texts are read once, whichever heaps the scripts come from.
class ScriptSources {
 public:
  explicit ScriptSources(ReadText read_text) : read_text_(std::move(read_text)) {}

  const ScriptSource& of(const HeapScript& script);

 private:
  ReadText read_text_;
  std::unordered_map<std::string, ScriptSource> by_path_;
};

}  // namespace ebbtide
