#include <algorithm>
#include <filesystem>
#include <iterator>
#include <nlohmann/json.hpp>

#include "analysis/review/modules.h"

namespace ebbtide {
namespace {

// tsconfig.json is JSON with comments and trailing commas; strings may hold both.
std::string plain_json(std::string_view text) {
  std::string out;
  for (std::size_t i = 0; i < text.size(); i++) {
    if (text[i] == '"') {
      const std::size_t from = i++;
      while (i < text.size() && text[i] != '"') i += text[i] == '\\' ? 2 : 1;
      out += text.substr(from, i - from + 1);
    } else if (text.substr(i, 2) == "//") {
      while (i + 1 < text.size() && text[i + 1] != '\n') i++;
    } else if (text.substr(i, 2) == "/*") {
      i = std::min(text.find("*/", i + 2), text.size()) + 1;
    } else {
      if (text[i] == '}' || text[i] == ']') {
        const auto last = out.find_last_not_of(" \t\r\n");
        if (last != std::string::npos && out[last] == ',') out.erase(last, 1);
      }
      out += text[i];
    }
  }
  return out;
}

}  // namespace

std::optional<PathMapping> read_path_mapping(std::string_view path, std::string_view text) {
  const auto json = nlohmann::json::parse(plain_json(text), nullptr, false);
  if (!json.is_object() || !json.contains("compilerOptions")) return std::nullopt;
  const auto& options = json["compilerOptions"];
  if (!options.is_object()) return std::nullopt;
  const auto base = options.find("baseUrl");
  const auto paths = options.find("paths");
  const bool has_base = base != options.end() && base->is_string();
  const bool has_paths = paths != options.end() && paths->is_object();
  if (!has_base && !has_paths) return std::nullopt;
  PathMapping mapping;
  const std::filesystem::path directory = std::filesystem::path(path).parent_path();
  mapping.base = (directory / (has_base ? base->get<std::string>() : "")).lexically_normal();
  if (!has_paths) return mapping;
  for (const auto& [pattern, targets] : paths->items()) {
    if (!targets.is_array()) continue;
    for (const auto& target : targets) {
      if (target.is_string()) mapping.paths[pattern].push_back(target.get<std::string>());
    }
  }
  return mapping;
}

bool is_path_config(std::string_view path) {
  const std::string_view name = path.substr(path.rfind('/') + 1);  // npos + 1 is 0
  return name == "tsconfig.json" || name == "jsconfig.json";
}

std::vector<SourceFile> sources_in(const std::vector<SourceFile>& tree) {
  std::vector<SourceFile> sources;
  std::ranges::copy_if(tree, std::back_inserter(sources),
                       [](const SourceFile& file) { return !is_path_config(file.path); });
  return sources;
}

std::vector<PathMapping> path_mappings_in(const std::vector<SourceFile>& tree) {
  std::vector<PathMapping> mappings;
  for (const SourceFile& file : tree) {
    if (!is_path_config(file.path)) continue;
    if (auto mapping = read_path_mapping(file.path, file.text))
      mappings.push_back(*std::move(mapping));
  }
  return mappings;
}

}  // namespace ebbtide
