#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <filesystem>

#include "analysis/report/compare_report.h"
#include "analysis/report/report_names.h"
#include "cli/commands.h"
#include "cli/exit_code.h"
#include "cli/output.h"
#include "recording/names.h"
#include "recording/reader.h"

namespace ebbtide {
namespace {

namespace fs = std::filesystem;

Result<ComparedPair> compare_files(const std::string& before, const std::string& after) {
  const auto first = read_recording(before);
  if (!first) return first.error();
  const auto second = read_recording(after);
  if (!second) return second.error();
  return ComparedPair{before, after, compare(*first, *second)};
}

// Each kind of run of which both directories hold a recording.
Result<CompareResult> compare_directories(const std::string& before, const std::string& after) {
  CompareResult result;
  for (const RunKind kind : {RunKind::connections, RunKind::broadcast, RunKind::leak}) {
    const std::string name = fmt::format("{}.ebbtide", name_of(kind));
    const fs::path first = fs::path(before) / name;
    const fs::path second = fs::path(after) / name;
    std::error_code ignored;
    const bool has_first = fs::exists(first, ignored);
    const bool has_second = fs::exists(second, ignored);
    if (has_first != has_second) {
      result.left_out.push_back(
          fmt::format("{}, which is in {} only", name, has_first ? before : after));
    }
    if (!has_first || !has_second) continue;
    auto pair = compare_files(first.string(), second.string());
    if (!pair) return pair.error();
    result.pairs.push_back(*std::move(pair));
  }
  if (!result.pairs.empty()) return result;
  return Error{"compare", before + " with " + after, "they hold no recordings of the same kind",
               "name two recordings, or two directories that `ebbtide profile` wrote"};
}

Result<CompareResult> compare_paths(const CompareOptions& options) {
  std::error_code ignored;
  const bool first = fs::is_directory(options.before, ignored);
  const bool second = fs::is_directory(options.after, ignored);
  if (first && second) return compare_directories(options.before, options.after);
  if (first != second) {
    return Error{"compare", options.before + " with " + options.after,
                 "one is a directory, the other is not", "name two files or two directories"};
  }
  auto pair = compare_files(options.before, options.after);
  if (!pair) return pair.error();
  CompareResult result;
  result.pairs.push_back(*std::move(pair));
  return result;
}

int exit_code_of(const CompareResult& result) {
  const auto has = [&](Change change) {
    return std::ranges::any_of(result.pairs, [change](const ComparedPair& pair) {
      return pair.comparison.overall == change;
    });
  };
  if (has(Change::worse)) return exit_leak;
  return has(Change::not_comparable) ? exit_inconclusive : exit_ok;
}

}  // namespace

Result<int> run_compare(const CompareOptions& options) {
  const auto result = compare_paths(options);
  if (!result) return result.error();
  const std::string& directory = options.output_directory;
  if (!directory.empty()) {
    const std::string report = fmt::format("{}/{}", directory, compare_report_name);
    if (auto ready = prepare_directory(directory); !ready) return ready.error();
    if (auto written = write_file(report, compare_report(*result)); !written)
      return written.error();
  }
  fmt::print("{}", options.json ? compare_json(*result) : compare_text(*result));
  return exit_code_of(*result);
}

}  // namespace ebbtide
