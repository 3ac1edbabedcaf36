#include "tests/bench/review_speed.h"

#include <fmt/format.h>

#include <filesystem>
#include <set>

#include "tests/bench/tool_run.h"

namespace ebbtide {
namespace {

namespace fs = std::filesystem;

constexpr double ordinary_aim_s = 0.5;
constexpr double large_aim_s = 5;
constexpr double large_aim_mb = 400;
constexpr std::uintmax_t ordinary_bytes = 1'000'000;

const std::string packages = SOURCE_DIR "/tests/bench/packages/node_modules";
const std::string typescript =
    SOURCE_DIR "/tests/packages/node_modules/typescript/lib/typescript.js";
const std::string server = SOURCE_DIR "/examples/leaky-server.js";

bool is_ordinary(const fs::path& path, std::uintmax_t bytes) {
  const std::string name = path.filename();
  return path.extension() == ".js" && name.find(".min.") == std::string::npos && bytes > 2'000 &&
         bytes < 100'000;
}

// A server and a megabyte of what packages are made of, in the order of their paths.
Result<std::uintmax_t> gather(const fs::path& directory) {
  std::error_code code;
  std::set<fs::path> paths;
  for (const auto& entry : fs::recursive_directory_iterator(packages, code)) {
    if (entry.is_regular_file(code) && is_ordinary(entry.path(), entry.file_size(code)))
      paths.insert(entry.path());
  }
  fs::create_directories(directory, code);
  fs::copy_file(server, directory / "server.js", fs::copy_options::overwrite_existing, code);
  std::uintmax_t bytes = fs::file_size(directory / "server.js", code);
  std::size_t copied = 0;
  for (const fs::path& path : paths) {
    if (bytes >= ordinary_bytes) break;
    fs::copy_file(path, directory / fmt::format("{}.js", copied++), code);
    bytes += fs::file_size(path, code);
  }
  if (code) return Error{"gather sources in", directory, code.message(), ""};
  if (bytes < ordinary_bytes)
    return Error{"gather sources in", directory, "the packages hold too little",
                 "PUPPETEER_SKIP_DOWNLOAD=1 npm ci --ignore-scripts --prefix tests/bench/packages"};
  return bytes;
}

}  // namespace

Result<Rows> measure_review_speed(const std::string& directory) {
  const std::string gathered = directory + "/ordinary-sources";
  const auto bytes = gather(gathered);
  if (!bytes) return bytes.error();
  const auto ordinary = run_tool({"review", gathered, "--fail-on", "never"});
  if (!ordinary) return ordinary.error();
  const auto large = run_tool({"review", typescript, "--fail-on", "never"});
  if (!large) return large.error();
  fs::remove_all(gathered);
  return Rows{
      {.name = fmt::format("{:.1f} MB of ordinary source: CPU", static_cast<double>(*bytes) / 1e6),
       .figure = fmt::format("{:.2f} s", ordinary->cpu_s),
       .aim = fmt::format("< {:.1f} s", ordinary_aim_s),
       .met = at_most(ordinary_aim_s, ordinary->cpu_s),
       .against = "files of npm packages beside examples/leaky-server.js"},
      {.name = "  peak resident memory",
       .figure = fmt::format("{:.0f} MB", ordinary->peak_resident_mb)},
      {.name = "typescript.js, 9 MB in one file: CPU",
       .figure = fmt::format("{:.2f} s", large->cpu_s),
       .aim = fmt::format("< {:.0f} s", large_aim_s),
       .met = at_most(large_aim_s, large->cpu_s)},
      {.name = "  peak resident memory",
       .figure = fmt::format("{:.0f} MB", large->peak_resident_mb),
       .aim = fmt::format("< {:.0f} MB", large_aim_mb),
       .met = at_most(large_aim_mb, large->peak_resident_mb)}};
}

}  // namespace ebbtide
