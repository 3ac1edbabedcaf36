#include "analysis/heap/source_map.h"

#include <algorithm>
#include <array>
#include <nlohmann/json.hpp>
#include <tuple>
#include <utility>

namespace ebbtide {
namespace {

using nlohmann::json;

constexpr std::uint32_t no_source = std::numeric_limits<std::uint32_t>::max();
constexpr std::int64_t most_lines = 1 << 30;  // anything beyond is damage, and would overflow

struct Mapping {
  std::uint32_t line = 0;  // of the generated text; all from 0
  std::uint32_t column = 0;
  std::uint32_t source = no_source;  // none: a stretch that no source made
  std::uint32_t source_line = 0;
  std::uint32_t source_column = 0;
};

Error damaged(const std::string& reason) {
  return Error{"read", "a source map", reason, "build it again"};
}

// The values of base64 digits, -1 for what is none.
constexpr std::array<std::int8_t, 256> base64_values() {
  std::array<std::int8_t, 256> values{};
  values.fill(-1);
  constexpr std::string_view digits =
      "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
  for (std::size_t i = 0; i < digits.size(); ++i) {
    values[static_cast<unsigned char>(digits[i])] = static_cast<std::int8_t>(i);
  }
  return values;
}

// One number of the "mappings" text: five bits a digit, least first, the sign in the lowest.
std::optional<std::int64_t> take_vlq(std::string_view text, std::size_t& at) {
  static constexpr auto values = base64_values();
  std::uint64_t number = 0;
  for (int shift = 0; shift <= 35 && at < text.size(); shift += 5) {
    const int digit = values[static_cast<unsigned char>(text[at++])];
    if (digit < 0) return std::nullopt;
    number |= static_cast<std::uint64_t>(digit & 31) << shift;
    if ((digit & 32) != 0) continue;
    const auto size = static_cast<std::int64_t>(number >> 1);
    return (number & 1) != 0 ? -size : size;
  }
  return std::nullopt;
}

bool within(std::int64_t value, std::int64_t bound) { return value >= 0 && value < bound; }

std::string text_of(const json& object, const char* key) {
  const auto found = object.find(key);
  return found != object.end() && found->is_string() ? found->get<std::string>() : "";
}

}  // namespace

struct SourceMap::Data {
  std::vector<Mapping> mappings;  // ascending by line, column
  std::vector<std::string> sources;
  std::vector<std::string> contents;  // by source; "" when the map does not carry it

  // Where a section's generated text begins.
  struct Offset {
    std::int64_t line = 0;
    std::int64_t column = 0;
  };

  Result<void> add(const json& map, Offset offset);
  Result<void> add_sections(const json& sections);
  Result<void> add_mappings(std::string_view text, Offset offset, std::size_t first_source);
};

Result<void> SourceMap::Data::add_mappings(std::string_view text, Offset offset,
                                           std::size_t first_source) {
  const auto source_count = static_cast<std::int64_t>(sources.size() - first_source);
  std::int64_t line = 0, column = 0, source = 0, source_line = 0, source_column = 0;
  for (std::size_t at = 0; at < text.size();) {
    if (text[at] == ';' || text[at] == ',') {
      if (text[at++] == ';') {
        ++line;
        column = 0;
      }
      continue;
    }
    std::array<std::int64_t, 5> fields{};
    std::size_t count = 0;
    while (at < text.size() && text[at] != ',' && text[at] != ';') {
      const auto value = take_vlq(text, at);
      if (!value || count == fields.size()) return damaged("its mappings are damaged");
      fields[count++] = *value;
    }
    if (count != 1 && count < 4) return damaged("its mappings are damaged");
    column += fields[0];
    source += fields[1];
    source_line += fields[2];
    source_column += fields[3];
    const std::int64_t generated_line = offset.line + line;
    const std::int64_t generated_column = column + (line == 0 ? offset.column : 0);
    if (!within(generated_line, most_lines) || !within(generated_column, most_lines) ||
        !within(source_line, most_lines) || !within(source_column, most_lines) ||
        (count > 1 && !within(source, source_count))) {
      return damaged("a mapping leads out of its sources");
    }
    mappings.push_back(
        {static_cast<std::uint32_t>(generated_line), static_cast<std::uint32_t>(generated_column),
         count > 1 ? static_cast<std::uint32_t>(first_source + source) : no_source,
         static_cast<std::uint32_t>(source_line), static_cast<std::uint32_t>(source_column)});
  }
  return {};
}

Result<void> SourceMap::Data::add_sections(const json& sections) {
  for (const json& section : sections) {
    if (!section.is_object()) return damaged("a section is no object");
    const auto offset = section.find("offset");
    const auto map = section.find("map");
    if (offset == section.end() || map == section.end() || !offset->is_object() ||
        !map->is_object() || map->contains("sections")) {
      return damaged("a section has no map or no offset");
    }
    const auto number = [&](const char* key) {
      const auto found = offset->find(key);
      return found != offset->end() && found->is_number_unsigned() ? found->get<std::uint64_t>()
                                                                   : std::uint64_t{most_lines};
    };
    const std::uint64_t line = number("line"), column = number("column");
    if (line >= most_lines || column >= most_lines) return damaged("a section's offset is wrong");
    auto added = add(*map, {static_cast<std::int64_t>(line), static_cast<std::int64_t>(column)});
    if (!added) return added;
  }
  return {};
}

Result<void> SourceMap::Data::add(const json& map, Offset offset) {
  const auto version = map.find("version");
  if (version == map.end() || *version != 3) return damaged("it is not of version 3");
  if (const auto sections = map.find("sections"); sections != map.end()) {
    if (!sections->is_array()) return damaged("its sections are no array");
    return add_sections(*sections);
  }
  const auto named = map.find("sources");
  const auto text = map.find("mappings");
  if (named == map.end() || !named->is_array() || text == map.end() || !text->is_string()) {
    return damaged("it has no sources or no mappings");
  }
  std::string root = text_of(map, "sourceRoot");
  if (!root.empty() && root.back() != '/') root += '/';
  const std::size_t first_source = sources.size();
  for (const json& source : *named) {
    sources.push_back(source.is_string() ? root + source.get<std::string>() : "");
  }
  contents.resize(sources.size());
  if (const auto carried = map.find("sourcesContent");
      carried != map.end() && carried->is_array()) {
    for (std::size_t i = 0; i < carried->size() && first_source + i < contents.size(); ++i) {
      const json& content = (*carried)[i];
      if (content.is_string()) contents[first_source + i] = content.get<std::string>();
    }
  }
  return add_mappings(text->get_ref<const std::string&>(), offset, first_source);
}

SourceMap::SourceMap(std::shared_ptr<const Data> data) : data_(std::move(data)) {}

Result<SourceMap> SourceMap::parse(std::string_view text) {
  // Servers may prepend a line that keeps the text from being taken for a script.
  if (text.starts_with(")]}'")) text.remove_prefix(std::min(text.find('\n'), text.size()));
  // A tree of nested values would be walked by recursion: a map is flat.
  int depth = 0;
  const auto shallow = [&depth](int level, json::parse_event_t event, json&) {
    if (event == json::parse_event_t::object_start || event == json::parse_event_t::array_start) {
      depth = std::max(depth, level);
    }
    return level < 8;
  };
  const json map = json::parse(text, shallow, false);
  if (map.is_discarded() || !map.is_object() || depth >= 8) return damaged("it is not JSON");
  auto data = std::make_shared<Data>();
  if (auto added = data->add(map, {}); !added) return added.error();
  const auto place = [](const Mapping& mapping) { return std::pair(mapping.line, mapping.column); };
  if (!std::ranges::is_sorted(data->mappings, {}, place)) {
    std::ranges::stable_sort(data->mappings, {}, place);
  }
  return SourceMap(std::move(data));
}

std::optional<CodePosition> SourceMap::original(std::uint32_t line, std::uint32_t column) const {
  if (line == 0 || column == 0) return std::nullopt;
  const auto place = [](const Mapping& mapping) { return std::pair(mapping.line, mapping.column); };
  const auto after =
      std::ranges::upper_bound(data_->mappings, std::pair(line - 1, column - 1), {}, place);
  if (after == data_->mappings.begin()) return std::nullopt;
  const Mapping& mapping = *std::prev(after);
  if (mapping.line != line - 1 || mapping.source == no_source) return std::nullopt;
  return CodePosition{data_->sources[mapping.source], mapping.source_line + 1,
                      mapping.source_column + 1, ""};
}

std::string_view SourceMap::source_of(std::string_view script) const {
  const auto found = std::ranges::find(data_->sources, script);
  if (found == data_->sources.end()) return "";
  return data_->contents[static_cast<std::size_t>(found - data_->sources.begin())];
}

const std::vector<std::string>& SourceMap::sources() const { return data_->sources; }

}  // namespace ebbtide
