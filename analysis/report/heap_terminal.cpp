#include "analysis/report/heap_terminal.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <functional>
#include <map>
#include <tuple>
#include <unordered_map>
#include <vector>

#include "analysis/format.h"
#include "analysis/heap/cause_path.h"
#include "analysis/report/escape.h"

namespace ebbtide {
namespace {

constexpr std::size_t rows_shown = 12;
constexpr std::size_t terminal_causes = 20;
constexpr std::size_t terminal_levels = 12;
constexpr std::size_t longest_answer = 400;
constexpr double dominant_share = 0.8;  // of what a path retains, by one below it: that is told

std::string bytes_of(std::uint64_t bytes) { return bytes_text(static_cast<double>(bytes)); }
std::string count_of(std::uint64_t count) { return integer_text(static_cast<std::int64_t>(count)); }

std::string full_place(const CodePosition& position) {
  if (position.line == 0) return position.script;
  std::string text = fmt::format("{}:{}:{}", position.script, position.line, position.column);
  if (!position.compiled.empty()) text += fmt::format(" (compiled: {})", position.compiled);
  return text;
}

// Lines of one width, each safe to print.
class Lines {
 public:
  explicit Lines(std::size_t width) : width_(std::max<std::size_t>(width, 40)) {}

  void add(const std::string& line) {
    text_ += clean_text(line, width_);
    text_ += '\n';
  }
  // The answer is never cut to the width.
  void answer(const std::string& line) {
    text_ += clean_text(line, longest_answer);
    text_ += '\n';
  }
  void title(const std::string& line) {
    text_ += '\n';
    add(line);
  }
  [[nodiscard]] std::string take() { return std::move(text_); }

 private:
  std::size_t width_;
  std::string text_;
};

struct LookedPath {
  const HeapPath* row = nullptr;
  const HeapPathLevel* level = nullptr;
  std::vector<const LookedPath*> children;
};

using PathsById = std::unordered_map<std::uint64_t, LookedPath>;

PathsById paths_of(const Recording& recording) {
  PathsById paths;
  for (const HeapPath& row : recording.heap_paths) paths[row.id].row = &row;
  for (const HeapPathLevel& level : recording.heap_path_levels) {
    const auto found = paths.find(level.path_id);
    if (found != paths.end()) found->second.level = &level;
  }
  for (const HeapPath& row : recording.heap_paths) {
    const auto parent = paths.find(row.parent);
    if (parent != paths.end()) parent->second.children.push_back(&paths[row.id]);
  }
  return paths;
}

std::uint64_t retained_by(const LookedPath& path) {
  return path.level == nullptr ? 0 : path.level->retained_bytes;
}

// The paths below the roots that retain most; where one step below holds nearly all of it, that
// step says more.
std::vector<const LookedPath*> biggest_paths(const PathsById& paths) {
  std::vector<const LookedPath*> biggest;
  for (const auto& [id, path] : paths) {
    const auto parent = paths.find(path.row->parent);
    if (parent != paths.end() && parent->second.row->step == PathStep::root) {
      biggest.push_back(&path);
    }
  }
  for (const LookedPath*& path : biggest) {
    while (!path->children.empty()) {
      const LookedPath* most = *std::ranges::max_element(
          path->children, {}, [](const LookedPath* each) { return retained_by(*each); });
      const double share = dominant_share * static_cast<double>(retained_by(*path));
      const bool several = most->level != nullptr && most->level->objects > 1;
      if (several || static_cast<double>(retained_by(*most)) < share) break;
      path = most;
    }
  }
  std::ranges::sort(biggest, std::greater<>{}, [](const LookedPath* path) {
    return std::tuple(retained_by(*path), path->row->id);
  });
  if (biggest.size() > rows_shown) biggest.resize(rows_shown);
  return biggest;
}

std::string line_of(const PathsById& paths, const LookedPath& path) {
  std::vector<const HeapPath*> steps;
  for (auto at = paths.find(path.row->id); at != paths.end() && at->second.row->parent != 0;
       at = paths.find(at->second.row->parent)) {
    steps.push_back(at->second.row);
  }
  std::ranges::reverse(steps);
  return path_text(steps);
}

std::string class_line(const HeapClass& row) {
  const std::string place = place_text(row.position);
  return place.empty() ? row.name : row.name + "  " + place;
}

void add_census(const HeapCensus& census, Lines& lines) {
  lines.add(fmt::format("  kept by JavaScript          {:>10}  {} objects",
                        bytes_of(census.reachable_bytes), count_of(census.objects)));
  lines.add(fmt::format("  by C++ handles alone        {:>10}", bytes_of(census.handle_bytes)));
  lines.add(fmt::format("  outside the heap (Buffers)  {:>10}", bytes_of(census.external_bytes)));
  if (census.source == HeapSource::snapshot) return;
  lines.add(fmt::format("  code that V8 compiled       {:>10}", bytes_of(census.compiled_bytes)));
  lines.add(fmt::format("  garbage, not yet collected  {:>10}", bytes_of(census.garbage_bytes)));
  lines.add(fmt::format("  heap in memory              {:>10}  {:.1f} % of it read as objects",
                        bytes_of(census.resident_bytes), census.walked_permille / 10.0));
  lines.add(fmt::format("  the process was held for    {:>10}  looked at in {}",
                        duration_text(static_cast<double>(census.pause_ns) * 1e-9),
                        duration_text(static_cast<double>(census.took_ns) * 1e-9)));
}

void add_classes(const Recording& recording, const std::string& isolate, Lines& lines) {
  std::vector<const HeapClass*> classes;
  for (const HeapClass& row : recording.heap_classes) {
    if (row.isolate == isolate) classes.push_back(&row);
  }
  std::ranges::stable_sort(classes, std::greater<>{}, &HeapClass::bytes);
  if (classes.size() > rows_shown) classes.resize(rows_shown);
  lines.title("Biggest classes");
  lines.add(fmt::format("{:>11}  {:>10}  {}", "objects", "bytes", "class"));
  for (const HeapClass* row : classes) {
    lines.add(fmt::format("{:>11}  {:>10}  {}", count_of(row->objects), bytes_of(row->bytes),
                          class_line(*row)));
  }
}

std::string per_step(double value, const std::string& step) {
  return fmt::format("{}{} per {}", value < 0 ? "" : "+", count_text(value), step);
}

void add_cause(std::size_t number, const HeapCause& cause, const HeapTextOptions& options,
               Lines& lines) {
  lines.add(fmt::format("{:>3}  {}", number, cause.path));
  std::string what = fmt::format(
      "     {}{}, {} kept by it: {}", per_step(cause.objects_per_connection, options.step),
      cause.bounded ? ", but slowing down or at its end" : "",
      bytes_text(cause.retained_per_connection), levels_text(cause.levels, terminal_levels));
  lines.add(what);
  if (cause.position.line != 0) lines.add("     at " + full_place(cause.position));
  if (cause.isolate != "main") lines.add("     in " + cause.isolate);
  if (cause.handles_only) lines.add("     kept by C++ handles alone, by no JavaScript reference");
  std::vector<std::string> companions;
  for (const HeapCause::Companion& companion : cause.companions) {
    const bool told =
        companion.class_name == cause.content || cause.path.ends_with(companion.class_name);
    if (told) continue;
    companions.push_back(
        fmt::format("{} +{}", companion.class_name, count_text(companion.per_connection)));
  }
  if (!companions.empty()) lines.add(fmt::format("     with it {}", fmt::join(companions, ", ")));
}

std::string answer(const HeapFindings& findings, const HeapTextOptions& options) {
  if (findings.looks == 2) {
    return "Two snapshots show what is different, not what keeps growing: take a third after as "
           "much again has happened.";
  }
  if (!findings.reservation.empty()) return "Nothing can be said: " + findings.reservation;
  const auto growing = std::ranges::count(findings.causes, false, &HeapCause::bounded);
  if (growing == 0) return "Nothing keeps growing.";
  const HeapCause& first = findings.causes.front();
  return fmt::format("{} keep{} more with every {}, most of all {}: {} each",
                     counted(static_cast<std::uint64_t>(growing), "reference"),
                     growing == 1 ? "s" : "", options.step, first.path,
                     bytes_text(first.retained_per_connection));
}

// With two looks there is no telling growth from chance; what differs may still help.
void add_differences(const Recording& recording, Lines& lines) {
  using Key = std::tuple<std::string, std::string, std::uint32_t, std::uint32_t>;
  struct Difference {
    const HeapClass* row = nullptr;
    std::int64_t objects = 0;
    std::int64_t bytes = 0;
  };
  const std::uint32_t last = recording.heap_censuses.back().cycle;
  std::map<Key, Difference> by_class;
  for (const HeapClass& row : recording.heap_classes) {
    const std::int64_t sign = row.cycle == 0 ? -1 : 1;
    if (row.cycle != 0 && row.cycle != last) continue;
    Difference& difference =
        by_class[{row.name, row.position.script, row.position.line, row.position.column}];
    difference.row = &row;
    difference.objects += sign * static_cast<std::int64_t>(row.objects);
    difference.bytes += sign * static_cast<std::int64_t>(row.bytes);
  }
  std::vector<Difference> differences;
  for (const auto& [key, difference] : by_class) {
    if (difference.objects > 0) differences.push_back(difference);
  }
  std::ranges::stable_sort(differences, std::greater<>{}, &Difference::bytes);
  if (differences.size() > rows_shown) differences.resize(rows_shown);
  lines.title("More in the last than in the first");
  lines.add(fmt::format("{:>11}  {:>10}  {}", "objects", "bytes", "class"));
  for (const Difference& difference : differences) {
    lines.add(fmt::format("{:>11}  {:>10}  {}", "+" + integer_text(difference.objects),
                          bytes_text(static_cast<double>(difference.bytes)),
                          class_line(*difference.row)));
  }
}

void add_growths(const HeapFindings& findings, const HeapTextOptions& options, Lines& lines) {
  if (findings.growths.empty()) return;
  lines.title(fmt::format("Classes that grow, per {}", options.step));
  lines.add(fmt::format("{:>11}  {:>10}  {}", "objects", "bytes", "class"));
  for (std::size_t i = 0; i < std::min(findings.growths.size(), rows_shown); ++i) {
    const HeapGrowth& growth = findings.growths[i];
    const std::string place = place_text(growth.position);
    lines.add(fmt::format("{:>11}  {:>10}  {}{}", "+" + count_text(growth.objects_per_connection),
                          bytes_text(growth.bytes_per_connection), growth.name,
                          place.empty() ? "" : "  " + place));
  }
}

}  // namespace

std::string census_text(const Recording& recording, const HeapTextOptions& options) {
  Lines lines(options.width);
  const PathsById paths = paths_of(recording);
  const auto biggest = biggest_paths(paths);
  std::uint64_t kept = 0, external = 0;
  for (const HeapCensus& census : recording.heap_censuses) {
    kept += census.reachable_bytes + census.handle_bytes;
    external += census.external_bytes;
  }
  lines.answer(fmt::format(
      "{} in JavaScript objects and {} outside the heap{}", bytes_of(kept), bytes_of(external),
      biggest.empty() ? std::string()
                      : fmt::format("; most by {}, {}", line_of(paths, *biggest.front()),
                                    bytes_of(retained_by(*biggest.front())))));
  for (const HeapCensus& census : recording.heap_censuses) {
    lines.title(census.isolate);
    add_census(census, lines);
    add_classes(recording, census.isolate, lines);
  }
  lines.title("Paths that keep most");
  lines.add(fmt::format("{:>11}  {:>10}  {}", "objects", "kept", "path"));
  for (const LookedPath* path : biggest) {
    if (path->level == nullptr) continue;
    lines.add(fmt::format("{:>11}  {:>10}  {}",
                          count_of(std::max(path->level->objects, path->level->entries)),
                          bytes_of(path->level->retained_bytes), line_of(paths, *path)));
  }
  return lines.take();
}

std::string comparison_text(const Recording& recording, const HeapFindings& findings,
                            const HeapTextOptions& options) {
  Lines lines(options.width);
  lines.answer(answer(findings, options));
  if (!findings.causes.empty()) lines.title("What keeps more and more");
  for (std::size_t i = 0; i < std::min(findings.causes.size(), terminal_causes); ++i) {
    if (i > 0) lines.add("");
    add_cause(i + 1, findings.causes[i], options, lines);
  }
  if (findings.causes.size() > terminal_causes) {
    lines.add(
        fmt::format("     and {} more (--json has all)", findings.causes.size() - terminal_causes));
  }
  add_growths(findings, options, lines);
  if (!findings.reservation.empty() && recording.heap_censuses.size() > 1) {
    add_differences(recording, lines);
  }
  return lines.take();
}

}  // namespace ebbtide
