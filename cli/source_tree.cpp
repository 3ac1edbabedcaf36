#include "cli/source_tree.h"

#include <fmt/format.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <set>

namespace ebbtide {
namespace {

namespace fs = std::filesystem;

constexpr std::uintmax_t max_file_bytes = 16U << 20U;
constexpr std::uintmax_t max_total_bytes = 64U << 20U;  // a tree takes thirty times as much
constexpr std::size_t max_files = 20000;
constexpr std::size_t max_listed = 200;  // lines for what was not read
constexpr std::size_t minified_from_bytes = 10000;
constexpr std::size_t minified_line_bytes = 400;  // on average

bool has_one_of(std::string_view text, std::initializer_list<std::string_view> endings) {
  return std::any_of(endings.begin(), endings.end(),
                     [&](std::string_view ending) { return text.ends_with(ending); });
}

bool is_test(const std::string& name) {
  return name.find(".test.") != std::string::npos || name.find(".spec.") != std::string::npos;
}

bool is_test_directory(const std::string& name) {
  return name == "test" || name == "tests" || name == "__tests__" || name == "__mocks__";
}

bool is_output_directory(const std::string& name) {
  return name == "dist" || name == "build" || name == "out" || name == "coverage";
}

// Why text is not worth parsing; "" when it is.
std::string unreadable_text(const std::string& text) {
  if (text.find('\0') != std::string::npos) return "binary";
  const auto lines = static_cast<std::size_t>(std::count(text.begin(), text.end(), '\n')) + 1;
  if (text.size() > minified_from_bytes && text.size() / lines > minified_line_bytes)
    return "minified";
  return "";
}

class TreeReader {
 public:
  Result<SourceTree> run(const std::vector<std::string>& paths) {
    for (const std::string& path : paths) {
      std::error_code code;
      const fs::file_status status = fs::status(path, code);
      if (!fs::exists(status))
        return Error{"review", path, code ? code.message() : "there is no such file", ""};
      if (fs::is_directory(status))
        directories_.emplace_back(fs::path(path).lexically_normal());
      else
        read(fs::path(path).lexically_normal());
    }
    while (!directories_.empty()) {
      const fs::path directory = std::move(directories_.back());
      directories_.pop_back();
      look_into(directory);
    }
    if (passed_over_ > 0)
      tree_.unread.push_back({"", fmt::format("{} more files were not read", passed_over_)});
    return std::move(tree_);
  }

 private:
  void look_into(const fs::path& directory) {
    std::error_code code;
    const fs::path real = fs::canonical(directory, code);
    if (code) return leave(directory, code.message());
    if (!seen_.insert(real).second) return;  // a link back to where we have been
    std::vector<fs::path> entries;
    for (auto at = fs::directory_iterator(directory, code); !code && at != fs::directory_iterator();
         at.increment(code))
      entries.push_back(at->path());
    if (code) return leave(directory, code.message());
    std::sort(entries.begin(), entries.end());
    for (const fs::path& entry : entries) look_at(entry);
  }

  void look_at(const fs::path& entry) {
    const std::string name = entry.filename();
    std::error_code code;
    const fs::file_status status = fs::status(entry, code);
    if (fs::is_directory(status)) {
      if (name == "node_modules" || name == "bower_components" || name.starts_with(".")) return;
      if (is_output_directory(name))
        return leave(entry, "looks like the output of a build; name it to have it read");
      if (is_test_directory(name)) return leave(entry, "tests");
      directories_.push_back(entry);
      return;
    }
    if (!is_source_file(name) && !is_path_config(name)) return;
    if (is_test(name)) return leave(entry, "tests");
    if (code || !fs::is_regular_file(status))
      return leave(entry, code ? code.message() : "not a regular file");
    if (fs::path real = fs::canonical(entry, code); !code && !seen_.insert(real).second) return;
    read(entry);
  }

  void read(const fs::path& path) {
    std::error_code code;
    const std::uintmax_t size = fs::file_size(path, code);
    if (code) return leave(path, code.message());
    if (size > max_file_bytes) return leave(path, fmt::format("{} MB large", size >> 20U));
    if (tree_.files.size() == max_files || bytes_ + size > max_total_bytes) {
      passed_over_++;
      return;
    }
    std::string text(size, '\0');
    errno = 0;
    std::ifstream file(path, std::ios::binary);
    if (!file) return leave(path, errno == 0 ? "cannot be opened" : std::strerror(errno));
    file.read(text.data(), static_cast<std::streamsize>(size));
    text.resize(static_cast<std::size_t>(file.gcount()));
    if (const std::string why = unreadable_text(text); !why.empty()) return leave(path, why);
    bytes_ += text.size();
    const fs::path location = fs::canonical(path, code);
    tree_.files.push_back({path.generic_string(), std::move(text), location.generic_string()});
  }

  void leave(const fs::path& path, std::string why) {
    if (tree_.unread.size() < max_listed)
      tree_.unread.push_back({path.generic_string(), std::move(why)});
    else
      passed_over_++;
  }

  SourceTree tree_;
  std::vector<fs::path> directories_;
  std::set<fs::path> seen_;
  std::uintmax_t bytes_ = 0;
  std::size_t passed_over_ = 0;
};

}  // namespace

bool is_source_file(const std::string& name) {
  return has_one_of(name, {".js", ".cjs", ".mjs", ".jsx", ".ts", ".cts", ".mts", ".tsx"}) &&
         !has_one_of(name, {".d.ts", ".d.cts", ".d.mts"});
}

Result<SourceTree> read_source_tree(const std::vector<std::string>& paths) {
  return TreeReader().run(paths);
}

}  // namespace ebbtide
