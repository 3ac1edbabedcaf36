#include "analysis/heap/growth.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <map>
#include <set>
#include <tuple>
#include <unordered_map>
#include <utility>

#include "analysis/heap/cause_path.h"
#include "analysis/heap/level_trend.h"
#include "analysis/heap/script_sources.h"

namespace ebbtide {
namespace {

constexpr std::size_t looks_needed = 3;
constexpr std::size_t companions_at_most = 8;
// In the runtime's own code a little grows for a while in every process.
constexpr double runtime_per_connection = 0.1;
constexpr double runtime_per_step = 20;
constexpr double runtime_bytes = 32;  // less is a slot in a queue of its own

bool is_user_position(const CodePosition& position) {
  return position.line != 0 && is_user_script(position.script);
}

// A path of one isolate with what it led to at each look.
struct TracedPath {
  const HeapPath* row = nullptr;
  TracedPath* parent = nullptr;  // null: a root
  std::vector<TracedPath*> children;
  std::vector<std::uint64_t> objects, retained, entries;
  LevelTrend objects_trend, entries_trend;
};

class CauseFinder {
 public:
  CauseFinder(const Recording& recording, const std::string& isolate, LookSeries series)
      : recording_(recording), isolate_(isolate), series_(std::move(series)) {}

  std::vector<HeapCause> run() {
    collect();
    for (TracedPath& path : paths_) {
      if (path.parent == nullptr) search_below(path);
    }
    return std::move(causes_);
  }

 private:
  void collect();
  void search_below(TracedPath& root);
  void consider(TracedPath& path, std::vector<TracedPath*>& open);
  [[nodiscard]] HeapCause cause_of(const TracedPath& path, bool by_entries) const;
  [[nodiscard]] bool is_worth_telling(const HeapCause& cause) const;
  [[nodiscard]] std::vector<const TracedPath*> growing_below(const TracedPath& path) const;
  void measure(HeapCause& cause, const TracedPath& path, bool by_entries) const;

  const Recording& recording_;
  const std::string& isolate_;
  LookSeries series_;
  std::vector<TracedPath> paths_;
  std::vector<HeapCause> causes_;
};

void CauseFinder::collect() {
  std::unordered_map<std::uint64_t, std::size_t> place_of;
  for (const HeapPath& row : recording_.heap_paths) {
    if (row.isolate != isolate_ || !place_of.try_emplace(row.id, paths_.size()).second) continue;
    TracedPath path;
    path.row = &row;
    for (auto* levels : {&path.objects, &path.retained, &path.entries}) {
      levels->assign(series_.looks.size(), 0);
    }
    paths_.push_back(std::move(path));
  }
  std::unordered_map<std::uint32_t, std::size_t> look_of;
  for (std::size_t i = 0; i < series_.looks.size(); ++i) look_of[series_.looks[i].cycle] = i;
  for (const HeapPathLevel& level : recording_.heap_path_levels) {
    const auto path = place_of.find(level.path_id);
    const auto look = look_of.find(level.cycle);
    if (path == place_of.end() || look == look_of.end()) continue;
    TracedPath& traced = paths_[path->second];
    traced.objects[look->second] += level.objects;
    traced.retained[look->second] += level.retained_bytes;
    traced.entries[look->second] += level.entries;
  }
  for (TracedPath& path : paths_) {
    path.objects_trend = trend_of(series_, path.objects);
    path.entries_trend = trend_of(series_, path.entries);
    const auto parent = place_of.find(path.row->parent);
    if (parent == place_of.end()) continue;
    path.parent = &paths_[parent->second];
    path.parent->children.push_back(&path);
  }
  // Paths that a damaged file makes their own ancestors hang on no root: nobody looks at them.
}

void CauseFinder::search_below(TracedPath& root) {
  std::vector<TracedPath*> open(root.children.rbegin(), root.children.rend());
  while (!open.empty()) {
    TracedPath& path = *open.back();
    open.pop_back();
    consider(path, open);
  }
}

// What grows below something that grows is told with it.
void CauseFinder::consider(TracedPath& path, std::vector<TracedPath*>& open) {
  const bool objects_grow = path.objects_trend.trend != Trend::none;
  const bool entries_grow = path.entries_trend.trend != Trend::none;
  if (objects_grow || entries_grow) {
    HeapCause cause = cause_of(path, !objects_grow);
    if (is_worth_telling(cause)) {
      causes_.push_back(std::move(cause));
      return;
    }
  }
  open.insert(open.end(), path.children.rbegin(), path.children.rend());
}

// Growing descendants, the nearest first.
std::vector<const TracedPath*> CauseFinder::growing_below(const TracedPath& path) const {
  std::vector<const TracedPath*> seen(path.children.begin(), path.children.end());
  for (std::size_t i = 0; i < seen.size(); ++i) {
    seen.insert(seen.end(), seen[i]->children.begin(), seen[i]->children.end());
  }
  std::erase_if(seen,
                [](const TracedPath* each) { return each->objects_trend.trend == Trend::none; });
  return seen;
}

// What a person gave a name: a variable, a field. The next link of a list is no place to look at.
bool is_named_place(const HeapPath& step, const HeapPath* above) {
  const bool named = step.step == PathStep::variable || step.step == PathStep::global ||
                     step.step == PathStep::property;
  const bool link = above != nullptr && above->class_name == step.class_name;
  return named && !link && is_user_position(step.position);
}

// The named place nearest to what grows; else the nearest user's function or class on the way or,
// for what the runtime keeps by itself, below it; else the runtime's own.
const HeapPath* place_of(const std::vector<const HeapPath*>& steps,
                         const std::vector<const TracedPath*>& below) {
  for (std::size_t i = steps.size(); i-- > 0;) {
    if (is_named_place(*steps[i], i > 0 ? steps[i - 1] : nullptr)) return steps[i];
  }
  for (auto step = steps.rbegin(); step != steps.rend(); ++step) {
    if (is_user_position((*step)->position)) return *step;
  }
  for (const TracedPath* path : below) {
    if (is_user_position(path->row->position)) return path->row;
  }
  for (const HeapPath* step : steps) {
    if (!step->position.script.empty()) return step;
  }
  return nullptr;
}

// Of a path's children the one that grows most.
const TracedPath* growing_child(const TracedPath& path) {
  const TracedPath* most = nullptr;
  for (const TracedPath* child : path.children) {
    if (child->objects_trend.trend == Trend::none) continue;
    if (most == nullptr ||
        child->objects_trend.per_connection > most->objects_trend.per_connection) {
      most = child;
    }
  }
  return most;
}

// Tells what grows: the entries of a container, or else the objects themselves.
void CauseFinder::measure(HeapCause& cause, const TracedPath& path, bool by_entries) const {
  const LevelTrend& trend = by_entries ? path.entries_trend : path.objects_trend;
  cause.levels = by_entries ? path.entries : path.objects;
  cause.by_entries = by_entries;
  cause.objects_per_connection = trend.per_connection;
  cause.bounded = trend.trend == Trend::bounded;
  cause.retained_per_connection = slope_of(series_, path.retained);
  if (!by_entries) {
    const bool in_container = path.row->step == PathStep::element && path.parent != nullptr &&
                              path.parent->objects_trend.trend == Trend::none;
    cause.container = in_container ? path.parent->row->class_name : "";
    cause.content = path.row->class_name;
    return;
  }
  cause.container = path.row->class_name;
  const TracedPath* content = growing_child(path);
  if (content == nullptr) return;
  cause.content = content->row->class_name;
  // Values that someone else refers to as well are not the container's alone.
  cause.retained_per_connection =
      std::max(cause.retained_per_connection, slope_of(series_, content->retained));
}

HeapCause CauseFinder::cause_of(const TracedPath& path, bool by_entries) const {
  std::vector<const HeapPath*> steps;
  const TracedPath* root = &path;
  for (; root->parent != nullptr; root = root->parent) steps.push_back(root->row);
  std::ranges::reverse(steps);
  const std::vector<const TracedPath*> below = growing_below(path);

  HeapCause cause;
  cause.path_id = path.row->id;
  cause.isolate = isolate_;
  cause.handles_only = root->row->class_name == "(C++ handles)";
  measure(cause, path, by_entries);
  const HeapPath* place = place_of(steps, below);
  if (place != nullptr) {
    cause.position = place->position;
    cause.user_code = is_user_position(place->position);
  }
  const TracedPath* content = by_entries ? growing_child(path) : nullptr;
  if (content != nullptr) steps.push_back(content->row);
  const bool on_the_way = std::ranges::find(steps, place) != steps.end();
  if (cause.user_code && !on_the_way) steps.push_back(place);
  cause.path = path_text(steps);

  for (const TracedPath* each : below) {
    cause.companions.push_back(
        {each->row->class_name, each->row->position, each->objects_trend.per_connection});
  }
  std::ranges::stable_sort(cause.companions, std::greater<>{},
                           &HeapCause::Companion::per_connection);
  if (cause.companions.size() > companions_at_most) cause.companions.resize(companions_at_most);
  return cause;
}

bool CauseFinder::is_worth_telling(const HeapCause& cause) const {
  if (cause.user_code) return true;
  const double least = series_.counts_connections ? runtime_per_connection : runtime_per_step;
  return !cause.bounded && cause.objects_per_connection >= least &&
         cause.retained_per_connection >= runtime_bytes;
}

std::vector<HeapGrowth> class_growths(const Recording& recording, const std::string& isolate,
                                      const LookSeries& series) {
  using Key = std::tuple<std::string, std::string, std::uint32_t, std::uint32_t>;
  struct Levels {
    const HeapClass* row = nullptr;
    std::vector<std::uint64_t> objects, bytes;
  };
  std::map<Key, Levels> by_class;
  std::unordered_map<std::uint32_t, std::size_t> look_of;
  for (std::size_t i = 0; i < series.looks.size(); ++i) look_of[series.looks[i].cycle] = i;
  for (const HeapClass& row : recording.heap_classes) {
    const auto look = look_of.find(row.cycle);
    if (row.isolate != isolate || look == look_of.end()) continue;
    Levels& levels =
        by_class[{row.name, row.position.script, row.position.line, row.position.column}];
    levels.row = &row;
    levels.objects.resize(series.looks.size());
    levels.bytes.resize(series.looks.size());
    levels.objects[look->second] += row.objects + row.handle_objects;
    levels.bytes[look->second] += row.bytes;
  }
  std::vector<HeapGrowth> growths;
  for (const auto& [key, levels] : by_class) {
    const LevelTrend trend = trend_of(series, levels.objects);
    if (trend.trend == Trend::none) continue;
    growths.push_back({isolate, levels.row->name, levels.row->position, trend.per_connection,
                       slope_of(series, levels.bytes), levels.objects,
                       trend.trend == Trend::bounded});
  }
  return growths;
}

// Most retained first; where that is close, within a factor of two, the user's own code first.
bool before(const HeapCause& a, const HeapCause& b) {
  const auto rank = [](const HeapCause& cause) {
    const double size = std::log2(std::max(1.0, cause.retained_per_connection));
    return std::tuple(cause.bounded, -std::floor(size), !cause.user_code,
                      -cause.retained_per_connection);
  };
  return rank(a) < rank(b);
}

}  // namespace

const HeapCause* main_cause(const HeapFindings& findings) {
  const auto cause = std::ranges::find(findings.causes, false, &HeapCause::bounded);
  return cause == findings.causes.end() ? nullptr : &*cause;
}

namespace {

HeapFindings growth_in(const Recording& recording, std::size_t least_looks) {
  HeapFindings findings;
  std::set<std::string> isolates;
  for (const HeapCensus& census : recording.heap_censuses) isolates.insert(census.isolate);
  bool compared = false;
  for (const std::string& isolate : isolates) {
    LookSeries series = look_series(recording, isolate);
    findings.looks = std::max(findings.looks, static_cast<std::uint32_t>(series.looks.size()));
    if (series.steps_with_connections() + 1 < least_looks) continue;
    findings.connections = series.looks.back().connections - series.looks.front().connections;
    compared = true;
    auto growths = class_growths(recording, isolate, series);
    findings.growths.insert(findings.growths.end(), std::make_move_iterator(growths.begin()),
                            std::make_move_iterator(growths.end()));
    auto causes = CauseFinder(recording, isolate, std::move(series)).run();
    findings.causes.insert(findings.causes.end(), std::make_move_iterator(causes.begin()),
                           std::make_move_iterator(causes.end()));
  }
  std::ranges::stable_sort(findings.causes, before);
  std::ranges::stable_sort(findings.growths, std::greater<>{}, &HeapGrowth::bytes_per_connection);
  if (isolates.empty()) {
    findings.reservation = "no JavaScript heap was looked into";
  } else if (!compared) {
    findings.reservation =
        "three looks with connections between them are needed to tell growth from chance";
  }
  return findings;
}

}  // namespace

HeapFindings find_heap_growth(const Recording& recording) {
  return growth_in(recording, looks_needed);
}

HeapFindings find_heap_growth_of_one_step(const Recording& recording) {
  return growth_in(recording, 2);
}

}  // namespace ebbtide
