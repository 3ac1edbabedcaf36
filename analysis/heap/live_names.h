// Answers: what is this object called? Classes, functions, variables and properties as DevTools
// shows them, and where in which script a function stands.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>
#include <utility>
#include <vector>

#include "analysis/heap/graph.h"
#include "analysis/heap/live_objects.h"
#include "analysis/heap/live_strings.h"

namespace ebbtide {

// Each text once, by its place in HeapGraph::strings.
class TextTable {
 public:
  std::uint32_t place(std::string_view text);
  std::vector<std::string> take() { return std::move(texts_); }

 private:
  std::vector<std::string> texts_{std::string()};
  std::unordered_map<std::string, std::uint32_t> places_{{std::string(), 0}};
};

// What a SharedFunctionInfo says.
struct LiveFunction {
  std::uint32_t name = 0;
  HeapLocation location;  // line 0: not known
};

class LiveNames {
 public:
  LiveNames(const LiveMemory& memory, const LiveLayout& layout, LiveObjects& objects);

  TextTable& texts() { return texts_; }
  std::vector<HeapScript> take_scripts() { return std::move(scripts_); }

  // By its SharedFunctionInfo.
  const LiveFunction& function(Address shared_info);
  [[nodiscard]] bool is_function(Address object);

  // The class of an object, its constructor's location with it. One look per map.
  const LiveFunction& class_of(Address object, MapIndex map);

  [[nodiscard]] bool is_name(std::uint64_t word) {
    const auto type = objects_.type_of_word(word);
    return layout_.is_string(type) || type == layout_.symbol;
  }
  // Of a string or symbol that names a property: "x", "#x", "<symbol x>".
  std::uint32_t property(std::uint64_t key);

  // The names of a context's variables by slot, from the one at `first` on.
  struct Variables {
    std::uint32_t first = 0;
    std::vector<std::uint32_t> names;
  };
  const Variables& variables(Address scope_info, std::uint32_t context_length);

  // Names by field, in-object ones first; empty when the map has none or is in dictionary mode.
  const std::vector<std::uint32_t>& fields(MapIndex map);

  // Own data property, "Symbol.…" being a symbol; 0 when there is none.
  std::uint64_t own_property(Address object, std::string_view name);

  std::uint32_t script(Address script);  // its place in scripts
  [[nodiscard]] const std::string& script_name(std::uint32_t place) const {
    return scripts_[place].name;
  }

 private:
  struct ScopeInfo {
    std::uint32_t local_count = 0;
    Address names = 0;  // of the first name, or of the table of names
    bool table = false;
    std::uint64_t function_name = 0;
    std::optional<std::int32_t> position;
  };
  struct ScriptText {
    Address source = 0;
    std::int32_t line_offset = 0;
    std::int32_t column_offset = 0;
  };

  [[nodiscard]] ScopeInfo scope_info(Address address) const;
  [[nodiscard]] std::optional<std::int32_t> start_position(Address shared_info);
  HeapLocation locate(Address script, std::int32_t position);
  std::string constructor_name(Address object, MapIndex map, std::uint64_t& constructor);
  std::uint64_t map_constructor(MapIndex map);
  [[nodiscard]] bool is_key(std::uint64_t word, std::string_view name);
  std::string function_name(std::uint64_t function);
  std::uint64_t field_value(Address object, const LiveMap& map, std::uint32_t field) const;

  const LiveMemory& memory_;
  const LiveLayout& layout_;
  LiveObjects& objects_;
  LiveStrings strings_;
  TextTable texts_;
  std::vector<HeapScript> scripts_;
  std::vector<ScriptText> script_texts_;
  std::uint64_t source_budget_ = 0;  // bytes of sources that may still be copied
  std::uint64_t lookup_budget_ = 0;  // entries that may still be looked at for a property

  std::unordered_map<Address, LiveFunction> functions_;
  std::vector<std::optional<LiveFunction>> classes_;  // by map
  std::unordered_map<Address, std::uint32_t> properties_;
  std::unordered_map<Address, Variables> variables_;
  std::unordered_map<Address, std::vector<std::uint32_t>> fields_;  // by descriptor array
  const std::vector<std::uint32_t> no_fields_;
  std::unordered_map<Address, std::uint32_t> script_places_;
  std::unordered_map<Address, std::vector<std::uint32_t>> line_starts_;  // by source
};

}  // namespace ebbtide
