// The architecture as a table: which folder may know which, and which libraries.
#include <gtest/gtest.h>

#include <algorithm>
#include <array>
#include <filesystem>
#include <fstream>
#include <map>
#include <regex>
#include <string>
#include <vector>

namespace {

namespace fs = std::filesystem;
using Names = std::vector<std::string>;

struct Layer {
  std::string folder;
  Names may_include;  // folders, itself aside
  Names libraries;    // path prefixes of headers that are neither the standard library's nor ours
};

const Names posix = {"arpa/",     "dirent.h", "fcntl.h",    "ifaddrs.h", "netdb.h",  "netinet/",
                     "poll.h",    "sched.h",  "signal.h",   "sys/",      "unistd.h", "linux/",
                     "termios.h", "spawn.h",  "sysexits.h", "pwd.h",     "time.h",   "cxxabi.h"};
const Names elf = {"elf.h", "gelf.h", "libelf.h", "elfutils/", "dwarf.h"};
const Names asio = {"boost/asio", "boost/system"};
const Names beast = {"boost/beast"};
const Names text = {"fmt/", "nlohmann/"};

Names operator+(Names left, const Names& right) {
  left.insert(left.end(), right.begin(), right.end());
  return left;
}

const std::vector<Layer> layers = {
    {"bpf", {}, {"bpf/", "linux/", "stdbool.h"}},
    {"recording", {"bpf"}, Names{"sqlite3.h"} + posix + text},
    {"tracer", {"tracer/v8", "recording", "bpf"}, Names{"bpf/"} + elf + posix + text},
    {"tracer/v8", {"tracer", "recording", "bpf"}, asio + beast + elf + posix + text},
    {"driver", {"recording"}, Names{"openssl/", "zlib.h"} + asio + beast + posix + text},
    {"analysis", {"recording"}, Names{"boost/math", "simdjson.h", "tree_sitter/"} + text},
    {"analysis/report",
     {"analysis", "analysis/causes", "analysis/compare", "analysis/endings", "analysis/heap",
      "analysis/load", "analysis/review", "recording"},
     text},
    {"analysis/compare",
     {"analysis", "analysis/causes", "analysis/endings", "analysis/load", "analysis/review",
      "recording"},
     Names{"boost/math"} + text},
    {"analysis/causes", {"analysis", "analysis/heap", "analysis/review", "recording"}, text},
    {"analysis/endings", {"analysis", "analysis/causes", "analysis/heap", "recording"}, text},
    {"analysis/heap", {"analysis", "recording"}, Names{"simdjson.h", "sys/mman.h"} + text},
    {"analysis/load", {"analysis", "recording"}, Names{"boost/math"} + text},
    {"analysis/review",
     {"analysis", "analysis/review/rules", "recording"},
     Names{"tree_sitter/"} + text},
    {"analysis/review/rules", {"analysis/review"}, text},
    {"cli",
     {"recording", "tracer", "tracer/v8", "driver", "analysis", "analysis/causes",
      "analysis/compare", "analysis/endings", "analysis/heap", "analysis/load", "analysis/review",
      "analysis/report"},
     Names{"CLI/", "toml++/"} + asio + posix + text},
};

// Sources of the repository below `folder`, generated and installed ones aside.
std::vector<fs::path> sources_below(const std::string& folder) {
  std::vector<fs::path> files;
  for (auto entry = fs::recursive_directory_iterator(fs::path(SOURCE_DIR) / folder);
       entry != fs::recursive_directory_iterator(); ++entry) {
    const fs::path& path = entry->path();
    if (path.filename() == "node_modules") entry.disable_recursion_pending();
    const Names kinds = {".c", ".cpp", ".h", ".js"};
    if (entry->is_regular_file() &&
        std::find(kinds.begin(), kinds.end(), path.extension()) != kinds.end()) {
      files.push_back(path);
    }
  }
  std::sort(files.begin(), files.end());
  return files;
}

std::string name_in_repository(const fs::path& path) {
  return path.lexically_relative(SOURCE_DIR).generic_string();
}

bool contains(const Names& names, const std::string& name) {
  return std::find(names.begin(), names.end(), name) != names.end();
}

// Why a file of `layer` may not include `header`; "" when it may.
std::string objection(const Layer& layer, const std::string& header, bool in_quotes) {
  const std::string folder = fs::path(header).parent_path().generic_string();
  if (in_quotes) {
    const bool own = folder == layer.folder || (folder.empty() && layer.folder == "bpf");
    const bool skeleton = header == "ebbtide.skel.h" && contains(layer.may_include, "bpf");
    if (own || skeleton || contains(layer.may_include, folder)) return "";
    return layer.folder + " may not know " + (folder.empty() ? header : folder);
  }
  const bool standard = folder.empty() && header.find('.') == std::string::npos;
  const bool allowed =
      std::any_of(layer.libraries.begin(), layer.libraries.end(),
                  [&](const std::string& prefix) { return header.starts_with(prefix); });
  return standard || allowed ? "" : layer.folder + " may not use <" + header + ">";
}

TEST(Layering, EveryIncludeIsAllowedByTheTable) {
  const std::regex include(R"(^\s*#\s*include\s+([<"])([^>"]+)[>"])");
  std::size_t checked = 0;
  for (const Layer& layer : layers) {
    if (!fs::exists(fs::path(SOURCE_DIR) / layer.folder)) continue;
    for (const fs::path& path : sources_below(layer.folder)) {
      if (path.parent_path() != fs::path(SOURCE_DIR) / layer.folder) continue;
      std::ifstream file(path);
      int number = 0;
      for (std::string line; std::getline(file, line);) {
        ++number;
        std::smatch match;
        if (!std::regex_search(line, match, include)) continue;
        ++checked;
        const std::string why = objection(layer, match[2], match[1] == "\"");
        EXPECT_EQ(why, "") << name_in_repository(path) << ":" << number;
      }
    }
  }
  EXPECT_GT(checked, 100u);
}

TEST(Layering, EveryFolderWithSourcesIsInTheTable) {
  for (const std::string top : {"bpf", "recording", "tracer", "driver", "analysis", "cli"}) {
    for (const fs::path& path : sources_below(top)) {
      const std::string folder = name_in_repository(path.parent_path());
      EXPECT_TRUE(std::any_of(layers.begin(), layers.end(), [&](const Layer& layer) {
        return layer.folder == folder;
      })) << name_in_repository(path);
    }
  }
}

TEST(Layering, ObjectsToWhatTheTableDoesNotList) {
  const auto layer = [](const std::string& folder) {
    return *std::find_if(layers.begin(), layers.end(),
                         [&](const Layer& each) { return each.folder == folder; });
  };
  EXPECT_EQ(objection(layer("analysis"), "tracer/proc.h", true), "analysis may not know tracer");
  EXPECT_EQ(objection(layer("driver"), "tracer/v8/inspector.h", true),
            "driver may not know tracer/v8");
  EXPECT_EQ(objection(layer("analysis"), "unistd.h", false), "analysis may not use <unistd.h>");
  EXPECT_EQ(objection(layer("tracer"), "boost/beast/core.hpp", false),
            "tracer may not use <boost/beast/core.hpp>");
  EXPECT_EQ(objection(layer("recording"), "recording/run.h", true), "");
  EXPECT_EQ(objection(layer("recording"), "vector", false), "");
}

// All folders share one namespace: two types of one name would be one to the linker.
TEST(Layering, NoTypeNameIsDefinedInTwoHeaders) {
  const std::regex definition(R"(^(?:struct|class) (\w+)(?: final)?(?: :.*)? \{)");
  std::map<std::string, std::string> defined_in;
  for (const std::string top : {"recording", "tracer", "driver", "analysis", "cli"}) {
    for (const fs::path& path : sources_below(top)) {
      if (path.extension() != ".h") continue;
      std::ifstream file(path);
      for (std::string line; std::getline(file, line);) {
        std::smatch match;
        if (!std::regex_search(line, match, definition)) continue;
        const auto [first, fresh] = defined_in.emplace(match[1], name_in_repository(path));
        EXPECT_TRUE(fresh) << match[1] << " is defined in " << first->second << " and in "
                           << name_in_repository(path);
      }
    }
  }
  EXPECT_GT(defined_in.size(), 40u);
}

TEST(Layering, FilesStaySmallAndAreNamedByWhatTheyHold) {
  const Names empty_words = {"util", "utils",   "common", "helper", "helpers",
                             "misc", "manager", "logic",  "stuff"};
  for (const std::string top :
       {"bpf", "recording", "tracer", "driver", "analysis", "cli", "tests", "examples", "cmake"}) {
    for (const fs::path& path : sources_below(top)) {
      std::ifstream file(path);
      std::size_t lines = 0;
      std::string first;
      for (std::string line; std::getline(file, line); ++lines) {
        if (lines == 0) first = line;
      }
      EXPECT_LE(lines, 450u) << name_in_repository(path);
      EXPECT_FALSE(contains(empty_words, path.stem())) << name_in_repository(path);
      if (path.extension() == ".h") {
        EXPECT_TRUE(first.starts_with("//") || first.starts_with("/*"))
            << name_in_repository(path) << " does not begin by saying what it answers";
      }
    }
  }
}

}  // namespace
