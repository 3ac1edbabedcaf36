#include "cli/server_source.h"

#include <fmt/format.h>

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <optional>
#include <vector>

#include "analysis/review/loaded_files.h"

namespace ebbtide {
namespace {

namespace fs = std::filesystem;

std::vector<std::string> arguments_of_process(const std::string& proc) {
  std::ifstream file(proc + "/cmdline", std::ios::binary);
  std::vector<std::string> arguments;
  for (std::string argument; std::getline(file, argument, '\0');) arguments.push_back(argument);
  return arguments;
}

// A file of the process, as we can open it: by its own name where that is the same file.
fs::path reachable(const std::string& proc, const fs::path& inside) {
  std::error_code code;
  const fs::path outside = proc + "/root" + inside.string();
  if (fs::equivalent(inside, outside, code) && !code) return inside;
  return outside;
}

bool in_packages(const fs::path& path) {
  return std::ranges::find(path, fs::path("node_modules")) != path.end();
}

// The first argument that is a file of the project: what stands before it are options, their
// values, and the loaders that run it (tsx, ts-node), which are packages.
std::optional<fs::path> main_script(const std::string& proc) {
  std::error_code code;
  const fs::path directory = fs::read_symlink(proc + "/cwd", code);
  if (code) return std::nullopt;
  const std::vector<std::string> arguments = arguments_of_process(proc);
  for (std::size_t i = 1; i < arguments.size(); ++i) {
    const fs::path named = directory / arguments[i];
    for (const char* ending : {"", ".js", ".mjs", ".cjs", "/index.js"}) {
      const fs::path inside = fs::path(named.string() + ending).lexically_normal();
      const fs::path script = reachable(proc, inside);
      if (!fs::is_regular_file(script, code) || in_packages(script)) continue;
      if (is_source_file(inside.filename())) return inside;
    }
  }
  return std::nullopt;
}

// The nearest directory above with a package.json; "" without one.
fs::path package_above(const std::string& proc, const fs::path& script) {
  std::error_code code;
  for (fs::path at = script.parent_path(); at.has_relative_path(); at = at.parent_path()) {
    if (fs::exists(reachable(proc, at / "package.json"), code)) return at;
  }
  return {};
}

// Paths as somebody in the package would write them, and places as the process knows them.
void rename(SourceTree& tree, const fs::path& read_from, const fs::path& package) {
  const auto relative = [&](const std::string& path) {
    return fs::path(path).lexically_relative(read_from).generic_string();
  };
  for (SourceFile& file : tree.files) {
    file.path = relative(file.path);
    file.location = (package / file.path).generic_string();
  }
  for (UnreadSource& unread : tree.unread) {
    if (!unread.path.empty()) unread.path = relative(unread.path);
  }
}

// Leaves the files that the script loads, and the configurations by which they find each other.
void keep_loaded(SourceTree& tree, const fs::path& script) {
  const std::vector<SourceFile> sources = sources_in(tree.files);
  const auto entry = std::ranges::find(sources, script.generic_string(), &SourceFile::location);
  if (entry == sources.end()) return;
  auto loaded = loaded_files(sources, path_mappings_in(tree.files), entry->path);
  if (!loaded) return;
  std::ranges::copy_if(tree.files, std::back_inserter(*loaded),
                       [](const SourceFile& file) { return is_path_config(file.path); });
  tree.files = *std::move(loaded);
  tree.unread.clear();  // what is not loaded need not be read
}

}  // namespace

Result<SourceTree> read_server_source(std::int32_t pid) {
  const std::string proc = fmt::format("/proc/{}", pid);
  const auto script = main_script(proc);
  if (!script)
    return Error{"find", "the server's source",
                 fmt::format("the command line of pid {} names no script that can be read", pid),
                 "name its directory with --source"};
  const fs::path package = package_above(proc, *script);
  const fs::path directory = package.empty() ? script->parent_path() : package;
  const fs::path read_from = reachable(proc, directory);
  auto tree = read_source_tree({(package.empty() ? reachable(proc, *script) : read_from).string()});
  if (!tree) return tree.error();
  rename(*tree, read_from, directory);
  if (sources_in(tree->files).empty()) {  // the package holds nothing but what a build made
    tree = read_source_tree({reachable(proc, script->parent_path()).string()});
    if (!tree) return tree.error();
    rename(*tree, read_from, directory);
  }
  keep_loaded(*tree, *script);
  return tree;
}

}  // namespace ebbtide
