#include "analysis/heap/script_sources.h"

#include <fmt/format.h>

#include <algorithm>
#include <filesystem>

namespace ebbtide {
namespace {

namespace fs = std::filesystem;

constexpr std::size_t longest_text = 1U << 28;

int hex_value(char digit) {
  if (digit >= '0' && digit <= '9') return digit - '0';
  if (digit >= 'a' && digit <= 'f') return digit - 'a' + 10;
  if (digit >= 'A' && digit <= 'F') return digit - 'A' + 10;
  return -1;
}

std::string percent_decoded(std::string_view text) {
  std::string decoded;
  for (std::size_t i = 0; i < text.size(); ++i) {
    const bool escape = text[i] == '%' && i + 2 < text.size() && hex_value(text[i + 1]) >= 0 &&
                        hex_value(text[i + 2]) >= 0;
    if (escape) {
      decoded += static_cast<char>(hex_value(text[i + 1]) * 16 + hex_value(text[i + 2]));
      i += 2;
    } else {
      decoded += text[i];
    }
  }
  return decoded;
}

// Stops at the first byte that is no digit.
std::string base64_decoded(std::string_view text) {
  constexpr std::string_view digits =
      "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
  std::string decoded;
  std::uint32_t bits = 0;
  int have = 0;
  for (const char digit : text) {
    const auto value = digits.find(digit);
    if (value == std::string_view::npos) break;
    bits = bits << 6 | static_cast<std::uint32_t>(value);
    have += 6;
    if (have < 8) continue;
    have -= 8;
    decoded += static_cast<char>(bits >> have & 0xff);
  }
  return decoded;
}

std::optional<std::string> data_of_url(std::string_view url) {
  const auto comma = url.find(',');
  if (comma == std::string_view::npos) return std::nullopt;
  const std::string_view data = url.substr(comma + 1);
  return url.substr(0, comma).ends_with(";base64") ? base64_decoded(data) : percent_decoded(data);
}

bool has_scheme(std::string_view name) { return name.find("://") != std::string_view::npos; }

// `name` as seen from the file `from`; a bundler's own scheme ("webpack://app/./src/a.ts") goes.
std::string resolved(std::string_view name, const std::string& from) {
  if (name.starts_with("file://")) return script_path(name);
  if (has_scheme(name)) {
    const auto path = name.find('/', name.find("://") + 3);
    if (path == std::string_view::npos) return std::string(name);
    return fs::path(name.substr(path + 1)).lexically_normal();
  }
  const fs::path path(name);
  if (path.is_absolute()) return path.lexically_normal();
  return (fs::path(from).parent_path() / path).lexically_normal();
}

// `path` without the folders that it shares with `other`.
std::string apart_from(const std::string& path, const std::string& other) {
  const auto [mine, theirs] = std::ranges::mismatch(path, other);
  const auto shared = static_cast<std::size_t>(mine - path.begin());
  const auto folder = path.rfind('/', shared == 0 ? 0 : shared - 1);
  return folder == std::string::npos ? path : path.substr(folder + 1);
}

}  // namespace

bool is_user_script(std::string_view script) {
  return !script.empty() && !script.starts_with("node:") && !script.starts_with("internal/") &&
         script.find("node_modules/") == std::string_view::npos;
}

std::string script_path(std::string_view name) {
  constexpr std::string_view scheme = "file://";
  if (!name.starts_with(scheme)) return std::string(name);
  name.remove_prefix(scheme.size());
  name = name.substr(0, name.find_first_of("?#"));
  return percent_decoded(name);
}

std::string_view base_name(std::string_view path) {
  const auto slash = path.find_last_of('/');
  // "node:internal/timers" is the name of a script of the runtime as people know it.
  if (path.starts_with("node:") || slash == std::string_view::npos) return path;
  return path.substr(slash + 1);
}

ScriptSource::ScriptSource(const HeapScript& script, const ReadText& read_text)
    : path_(script_path(script.name)) {
  std::string text = script.source;
  if (text.empty() && path_.starts_with('/') && read_text) {
    text = read_text(path_).value_or("");
  }
  if (!text.empty() && text.size() < longest_text) {
    declarations_ = std::make_unique<Declarations>(std::move(text));
  }
  std::string_view url = script.source_map_url;
  if (url.empty() && declarations_) url = declarations_->source_map_url();
  if (!url.empty()) read_map(url, read_text);
}

void ScriptSource::read_map(std::string_view url, const ReadText& read_text) {
  map_path_ = path_;
  std::optional<std::string> text;
  if (url.starts_with("data:")) {
    text = data_of_url(url);
  } else if (read_text && (url.starts_with("file://") || !has_scheme(url))) {
    map_path_ =
        resolved(url.starts_with("file://") ? std::string(url) : percent_decoded(url), path_);
    text = read_text(map_path_);
  }
  if (!text) return;
  if (auto map = SourceMap::parse(*text)) map_ = *std::move(map);
}

CodePosition ScriptSource::position(TextPlace place) const {
  if (map_) {
    if (auto original = map_->original(place.line, place.column)) {
      original->script = resolved(original->script, map_path_);
      original->compiled =
          fmt::format("{}:{}:{}", apart_from(path_, original->script), place.line, place.column);
      return *original;
    }
  }
  return {path_, place.line, place.column, ""};
}

const ScriptSource& ScriptSources::of(const HeapScript& script) {
  const std::string path = script_path(script.name);
  const auto found = by_path_.find(path);
  if (found != by_path_.end()) return found->second;
  return by_path_.try_emplace(path, script, read_text_).first->second;
}

}  // namespace ebbtide
