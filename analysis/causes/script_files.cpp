#include "analysis/causes/script_files.h"

#include <algorithm>

namespace ebbtide {
namespace {

int hex_digit(char c) {
  if (c >= '0' && c <= '9') return c - '0';
  if (c >= 'a' && c <= 'f') return c - 'a' + 10;
  if (c >= 'A' && c <= 'F') return c - 'A' + 10;
  return -1;
}

// The path of a file: URL; other texts as they are. Loaders append queries to load a module anew.
std::string path_of(std::string_view script) {
  constexpr std::string_view scheme = "file://";
  if (!script.starts_with(scheme)) return std::string(script);
  script.remove_prefix(scheme.size());
  script = script.substr(0, script.find_first_of("?#"));
  std::string path;
  for (std::size_t i = 0; i < script.size(); ++i) {
    const bool escape = script[i] == '%' && i + 2 < script.size() &&
                        hex_digit(script[i + 1]) >= 0 && hex_digit(script[i + 2]) >= 0;
    path += escape ? static_cast<char>(hex_digit(script[i + 1]) * 16 + hex_digit(script[i + 2]))
                   : script[i];
    if (escape) i += 2;
  }
  return path;
}

// How many of the last components of two paths are the same.
std::size_t common_components(std::string_view a, std::string_view b) {
  std::size_t count = 0;
  while (!a.empty() && !b.empty()) {
    const auto tail = [](std::string_view path) {
      const auto slash = path.rfind('/');
      return slash == std::string_view::npos ? path : path.substr(slash + 1);
    };
    const std::string_view last = tail(a);
    if (last.empty() || last != tail(b)) break;
    ++count;
    a.remove_suffix(std::min(a.size(), last.size() + 1));
    b.remove_suffix(std::min(b.size(), last.size() + 1));
  }
  return count;
}

}  // namespace

const SourceFile* ScriptFiles::file_of(std::string_view script) const {
  const std::string path = path_of(script);
  if (path.empty()) return nullptr;
  const auto exact = std::ranges::find(files_, path, &SourceFile::location);
  if (exact != files_.end()) return &*exact;
  const SourceFile* best = nullptr;
  std::size_t most = 0;
  bool only = false;
  for (const SourceFile& file : files_) {
    const std::size_t common =
        common_components(path, file.location.empty() ? file.path : file.location);
    if (common == 0 || common < most) continue;
    only = common > most;
    most = common;
    best = &file;
  }
  return only ? best : nullptr;
}

bool ScriptFiles::is_at(const CodePosition& position, const SourceSpot& spot) const {
  const SourceRange& range = spot.range;
  if (position.line == 0 || position.line != range.line || position.column < range.column)
    return false;
  if (range.end_line == range.line && position.column > range.end_column) return false;
  const SourceFile* file = file_of(position.script);
  return file != nullptr && file->path == spot.path;
}

}  // namespace ebbtide
