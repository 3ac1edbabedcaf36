#include "analysis/heap/live_names.h"

#include <fmt/format.h>

#include <algorithm>

namespace ebbtide {
namespace {

constexpr std::uint32_t longest_name = 512;
constexpr int most_prototypes = 16;
constexpr int most_back_pointers = 2000;

}  // namespace

std::uint32_t TextTable::place(std::string_view text) {
  const auto [found, fresh] =
      places_.emplace(std::string(text), static_cast<std::uint32_t>(texts_.size()));
  if (fresh) texts_.emplace_back(text);
  return found->second;
}

LiveNames::LiveNames(const LiveMemory& memory, const LiveLayout& layout, LiveObjects& objects)
    : memory_(memory), layout_(layout), objects_(objects), strings_(memory, layout, objects) {
  for (const LivePage& page : memory.pages()) source_budget_ += page.length;
  lookup_budget_ = source_budget_;
}

// --- functions ----------------------------------------------------------------------------------

bool LiveNames::is_function(Address object) {
  return objects_.type_of_word(memory_.word(object + layout_.function_at.shared)) ==
         layout_.shared_info;
}

const LiveFunction& LiveNames::function(Address shared_info) {
  const auto [found, fresh] = functions_.try_emplace(shared_info);
  if (!fresh) return found->second;
  LiveFunction function;
  auto name = memory_.word(shared_info + layout_.shared_info_at.name_or_scope);
  if (objects_.type_of_word(name) == layout_.scope_info) {
    name = scope_info(untagged(name)).function_name;
  }
  function.name = texts_.place(strings_.text(name, longest_name));
  const auto script_word = memory_.word(shared_info + layout_.shared_info_at.script);
  const auto position = start_position(shared_info);
  if (position && objects_.type_of_word(script_word) == layout_.script) {
    function.location = locate(untagged(script_word), *position);
  }
  return functions_[shared_info] = function;
}

std::optional<std::int32_t> LiveNames::start_position(Address shared_info) {
  const auto scope = memory_.word(shared_info + layout_.shared_info_at.name_or_scope);
  if (objects_.type_of_word(scope) == layout_.scope_info) {
    return scope_info(untagged(scope)).position;
  }
  const auto data = memory_.word(shared_info + layout_.shared_info_at.function_data);
  const auto type = objects_.type_of_word(data);
  if (type < layout_.first_uncompiled || type > layout_.last_uncompiled) return std::nullopt;
  return memory_.read<std::int32_t>(untagged(data) + layout_.uncompiled_start);
}

// {flags, parameters, locals, [start, end,] [module variables,] names or a table of them, a Smi for
// each, [class variable], [function's name, its slot], [inferred name], [start, end], …}
LiveNames::ScopeInfo LiveNames::scope_info(Address address) const {
  ScopeInfo info;
  const auto flags_word = memory_.word(address + 8);
  const auto flags = static_cast<std::uint32_t>(
      flags_word != 0 && !is_smi(flags_word) ? flags_word : flags_word >> 32);
  const auto slot = [&](std::uint64_t index) { return memory_.word(address + 8 + 8 * index); };
  const auto count = slot(2);
  if (!is_smi(count) || smi_value(count) < 0 || smi_value(count) > 1 << 20) return info;
  info.local_count = static_cast<std::uint32_t>(smi_value(count));
  constexpr std::uint32_t most_inlined = 75;
  info.table = info.local_count >= most_inlined;

  const bool positions_first = layout_.scope_info_first_name >= 5;
  if (positions_first && is_smi(slot(3))) info.position = smi_value(slot(3));
  std::uint64_t at = layout_.scope_info_first_name;
  for (int i = 0; info.local_count > 0 && i < 2 && is_smi(slot(at)); ++i) ++at;
  info.names = address + 8 + 8 * at;
  at += info.local_count + (info.table ? 1 : info.local_count);

  const bool class_variable = (flags >> 10 & 1) != 0;
  const bool function_variable = (flags >> 12 & 3) != 0;
  const bool inferred_name = (flags >> 14 & 1) != 0;
  if (class_variable) ++at;
  if (function_variable) {
    if (is_reference(slot(at))) info.function_name = slot(at);
    at += 2;
  }
  if (inferred_name) ++at;
  if (!positions_first && is_smi(slot(at)) && is_smi(slot(at + 1)) &&
      smi_value(slot(at + 1)) >= smi_value(slot(at))) {
    info.position = smi_value(slot(at));
  }
  return info;
}

// --- scripts ------------------------------------------------------------------------------------

std::uint32_t LiveNames::script(Address script) {
  const auto [found, fresh] =
      script_places_.emplace(script, static_cast<std::uint32_t>(scripts_.size()));
  if (!fresh) return found->second;
  HeapScript& entry = scripts_.emplace_back();
  entry.name = strings_.text(memory_.word(script + layout_.script_at.name), longest_name * 8);
  const auto source = memory_.word(script + layout_.script_at.source);
  const auto offset = [&](std::uint32_t at) {
    const auto word = memory_.word(script + at);
    return is_smi(word) ? smi_value(word) : 0;
  };
  script_texts_.push_back(
      {source, offset(layout_.script_at.line_offset), offset(layout_.script_at.column_offset)});
  const bool ours = entry.name.starts_with("node:");  // the runtime's own
  if (ours || !strings_.is_string(source) || strings_.length(source) > source_budget_) {
    return found->second;
  }
  source_budget_ -= strings_.length(source);
  entry.source = strings_.text(source, strings_.length(source));
  constexpr std::string_view mark = "# sourceMappingURL=";
  const auto at = entry.source.rfind(mark);
  if (at != std::string::npos && at >= 2 && entry.source[at - 1] == '/') {
    const auto begin = at + mark.size();
    const auto end = entry.source.find_first_of(" \t\r\n", begin);
    entry.source_map_url = entry.source.substr(begin, end - begin);
  }
  return found->second;
}

HeapLocation LiveNames::locate(Address script_address, std::int32_t position) {
  HeapLocation location;
  location.script = script(script_address);
  const ScriptText& text = script_texts_[location.script];
  const auto [found, fresh] = line_starts_.try_emplace(text.source);
  if (fresh) found->second = strings_.line_starts(text.source);
  const auto& starts = found->second;
  // The sources of the runtime itself lie outside the heap: all there is is one line.
  if (position < 0 || starts.size() < 2) {
    const bool one_line =
        position >= 0 && strings_.is_string(text.source) && !strings_.text(text.source, 1).empty();
    if (!one_line) return location;
  }
  const auto after = std::ranges::upper_bound(starts, static_cast<std::uint32_t>(position));
  const auto line = static_cast<std::uint32_t>(after - starts.begin()) - 1;
  auto column = static_cast<std::int64_t>(position) - starts[line];
  if (line == 0) column += text.column_offset;
  location.line =
      static_cast<std::uint32_t>(std::max<std::int64_t>(1, line + 1LL + text.line_offset));
  location.column = static_cast<std::uint32_t>(std::max<std::int64_t>(1, column + 1));
  return location;
}

// --- variables and properties -------------------------------------------------------------------

const LiveNames::Variables& LiveNames::variables(Address scope, std::uint32_t context_length) {
  const auto [found, fresh] = variables_.try_emplace(scope);
  if (!fresh) return found->second;
  Variables variables;
  const ScopeInfo info = scope_info(scope);
  if (info.local_count <= context_length) {
    variables.first = context_length - info.local_count;
    variables.names.resize(info.local_count);
    if (!info.table) {
      for (std::uint32_t i = 0; i < info.local_count; ++i) {
        variables.names[i] = property(memory_.word(info.names + std::uint64_t{8} * i));
      }
    } else if (const auto table = memory_.word(info.names); is_reference(table)) {
      // {…, key, index, …}: whatever the prefix, a name is followed by its index.
      const auto map = objects_.map_of(untagged(table));
      const auto size = map == no_map ? 0 : objects_.extent(untagged(table), objects_.map(map));
      for (std::uint64_t at = 16; at + 16 <= size; at += 8) {
        const auto key = memory_.word(untagged(table) + at);
        const auto index = memory_.word(untagged(table) + at + 8);
        if (!is_smi(index) || !strings_.is_string(key)) continue;
        const auto place = static_cast<std::uint32_t>(smi_value(index));
        if (place < info.local_count) variables.names[place] = property(key);
      }
    }
  }
  return variables_[scope] = std::move(variables);
}

std::uint32_t LiveNames::property(std::uint64_t key) {
  if (!is_reference(key)) return 0;
  const auto [found, fresh] = properties_.try_emplace(untagged(key), 0);
  if (!fresh) return found->second;
  std::string name;
  if (objects_.type_of_word(key) == layout_.symbol) {
    const auto flags = memory_.read<std::uint32_t>(untagged(key) + 12);
    name = strings_.text(memory_.word(untagged(key) + layout_.symbol_name), longest_name);
    if (flags == 0 || !name.starts_with('#')) name = "<symbol " + name + ">";  // else private
  } else {
    name = strings_.text(key, longest_name);
  }
  return properties_[untagged(key)] = texts_.place(name);
}

const std::vector<std::uint32_t>& LiveNames::fields(MapIndex map) {
  const auto descriptors = memory_.word(objects_.map(map).address + layout_.map_at.descriptors);
  if (!is_reference(descriptors) || objects_.map(map).dictionary) return no_fields_;
  // Maps of one family share the array, and a field has the same index in all of them.
  const auto [found, fresh] = fields_.try_emplace(untagged(descriptors));
  if (!fresh) return found->second;
  const auto array = untagged(descriptors);
  const auto array_map = objects_.map_of(array);
  if (array_map == no_map) return found->second;
  const auto size = objects_.extent(array, objects_.map(array_map));
  constexpr std::uint64_t entry = 24;  // key, details, value
  std::vector<std::uint32_t> names;
  for (std::uint64_t at = layout_.descriptors_begin; at + entry <= size; at += entry) {
    const auto details = memory_.word(array + at + 8);
    if (!is_smi(details)) continue;
    const auto bits = static_cast<std::uint32_t>(smi_value(details));
    if ((bits & layout_.location_mask) >> layout_.location_shift != layout_.location_field)
      continue;
    const auto field = (bits & layout_.index_mask) >> layout_.index_shift;
    if (field > 2048) continue;
    if (names.size() <= field) names.resize(field + 1);
    names[field] = property(memory_.word(array + at));
  }
  return fields_[array] = std::move(names);
}

std::uint64_t LiveNames::field_value(Address object, const LiveMap& map,
                                     std::uint32_t field) const {
  const auto first = memory_.read<std::uint8_t>(map.address + 9);
  if (first + field < map.words) return memory_.word(object + 8ULL * (first + field));
  const auto outside = field - (map.words > first ? map.words - first : 0U);
  const auto properties = memory_.word(object + 8);
  return is_reference(properties) ? memory_.word(untagged(properties) + 16 + 8ULL * outside) : 0;
}

bool LiveNames::is_key(std::uint64_t word, std::string_view name) {
  if (!name.starts_with("Symbol.")) return strings_.equals(word, name);
  return objects_.type_of_word(word) == layout_.symbol &&
         strings_.equals(memory_.word(untagged(word) + layout_.symbol_name), name);
}

std::uint64_t LiveNames::own_property(Address object, std::string_view name) {
  const auto map = objects_.map_of(object);
  if (map == no_map || !layout_.is_receiver(objects_.map(map).type)) return 0;
  const bool dictionary = objects_.map(map).dictionary;
  const auto holder = dictionary
                          ? memory_.word(object + 8)
                          : memory_.word(objects_.map(map).address + layout_.map_at.descriptors);
  if (!is_reference(holder)) return 0;
  const auto holder_map = objects_.map_of(untagged(holder));
  if (holder_map == no_map) return 0;
  const auto size = objects_.extent(untagged(holder), objects_.map(holder_map));
  // A dictionary's entry is {key, value, details}, a descriptor {key, details, value}.
  const std::uint64_t begin =
      dictionary ? 16 + 8ULL * (3 + layout_.name_dictionary_prefix) : layout_.descriptors_begin;
  for (std::uint64_t at = begin; at + 24 <= size; at += 24) {
    const auto entry = untagged(holder) + at;
    if (lookup_budget_ == 0) return 0;
    --lookup_budget_;
    if (!is_key(memory_.word(entry), name)) continue;
    if (dictionary) return memory_.word(entry + 8);
    const auto details = memory_.word(entry + 8);
    const auto bits = static_cast<std::uint32_t>(smi_value(details));
    const bool field =
        (bits & layout_.location_mask) >> layout_.location_shift == layout_.location_field;
    return field ? field_value(object, objects_.map(map),
                               (bits & layout_.index_mask) >> layout_.index_shift)
                 : memory_.word(entry + 16);
  }
  return 0;
}

// --- classes ------------------------------------------------------------------------------------

std::uint64_t LiveNames::map_constructor(MapIndex map) {
  auto word = memory_.word(objects_.map(map).address + layout_.map_at.constructor);
  for (int i = 0; i < most_back_pointers && objects_.type_of_word(word) == layout_.map; ++i) {
    word = memory_.word(untagged(word) + layout_.map_at.constructor);
  }
  return word;
}

std::string LiveNames::function_name(std::uint64_t function) {
  if (!is_reference(function) || !is_function(untagged(function))) return "";
  const auto shared = memory_.word(untagged(function) + layout_.function_at.shared);
  auto name = memory_.word(untagged(shared) + layout_.shared_info_at.name_or_scope);
  if (objects_.type_of_word(name) == layout_.scope_info) {
    name = scope_info(untagged(name)).function_name;
  }
  return strings_.text(name, longest_name);
}

// As V8's JSReceiver::GetConstructorName does it: the map's constructor unless a subclass made the
// object, else the nearest toStringTag or "constructor" on the prototype chain. A prototype does
// not go by the name of its own class.
std::string LiveNames::constructor_name(Address object, MapIndex map, std::uint64_t& constructor) {
  const auto address = objects_.map(map).address;
  const bool new_target_is_base = (memory_.read<std::uint8_t>(address + 15) & 1) != 0;
  const auto bits = memory_.read<std::uint32_t>(address + 16);
  const bool is_prototype = (bits >> (layout_.dictionary_map_shift - 1) & 1) != 0;
  constructor = map_constructor(map);
  auto name = function_name(constructor);
  if (new_target_is_base && !is_prototype && !name.empty() && name != "Object") return name;

  Address holder = object;
  for (int i = 0; i < most_prototypes; ++i) {
    const auto tag = own_property(holder, "Symbol.toStringTag");
    if (strings_.is_string(tag) && strings_.length(tag) > 0) {
      return strings_.text(tag, longest_name);
    }
    const auto found = i == 0 ? 0 : own_property(holder, "constructor");
    if (auto found_name = function_name(found); !found_name.empty()) {
      constructor = found;
      return found_name;
    }
    const auto holder_map = objects_.map_of(holder);
    if (holder_map == no_map) break;
    const auto prototype =
        memory_.word(objects_.map(holder_map).address + layout_.map_at.prototype);
    if (!is_reference(prototype) || !layout_.is_receiver(objects_.type_of_word(prototype))) break;
    holder = untagged(prototype);
  }
  return name;
}

const LiveFunction& LiveNames::class_of(Address object, MapIndex map) {
  if (classes_.size() <= map) classes_.resize(map + std::size_t{1});
  if (classes_[map]) return *classes_[map];
  LiveFunction entry;
  const InstanceType type = objects_.map(map).type;
  const TypeLayout& layout = layout_.type(type);
  if (layout_.is_receiver(type)) {
    std::uint64_t constructor = 0;
    auto name = constructor_name(object, map, constructor);
    if (is_reference(constructor) && is_function(untagged(constructor))) {
      const auto shared = memory_.word(untagged(constructor) + layout_.function_at.shared);
      entry.location = function(untagged(shared)).location;
    }
    if (name.empty()) name = type == layout_.proxy || layout.name.empty() ? "Object" : layout.name;
    entry.name = texts_.place(name);
  } else if (layout.kind != NodeKind::string && layout.kind != NodeKind::number) {
    const auto word = layout.name.empty() ? fmt::format("type {}", type) : layout.name;
    entry.name = layout.kind == NodeKind::array ? 0 : texts_.place("system / " + word);
  }
  return *(classes_[map] = entry);
}

}  // namespace ebbtide
