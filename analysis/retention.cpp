#include "analysis/retention.h"

#include <algorithm>
#include <initializer_list>
#include <map>
#include <optional>
#include <utility>

#include "analysis/series.h"

namespace ebbtide {
namespace {

// A clean Node server with deflate contexts keeps 6 MB more after 1,000 connections. Less than
// these, or than a tenth of the process's memory, is not worth a change of its environment.
constexpr double least_growth = 16 << 20;
constexpr double least_share = 0.1;
// A part that is smaller explains nothing.
constexpr double least_part = 0.1;

using Levels = std::map<GaugeKind, double>;

Levels levels_at(const Recording& recording, std::uint32_t cycle) {
  Levels levels;
  for (const Gauge& gauge : recording.gauges) {
    if (gauge.cycle == cycle && gauge.point == Point::settled && !is_void(recording, gauge))
      levels[gauge.kind] = static_cast<double>(gauge.value);
  }
  return levels;
}

bool have(const Levels& first, const Levels& last, std::initializer_list<GaugeKind> kinds) {
  return std::ranges::all_of(
      kinds, [&](GaugeKind kind) { return first.contains(kind) && last.contains(kind); });
}

std::optional<std::pair<Levels, Levels>> ends_of(const Recording& recording) {
  std::optional<Levels> first;
  std::optional<Levels> last;
  const auto look = [&](std::uint32_t cycle) {
    Levels levels = levels_at(recording, cycle);
    if (levels.contains(GaugeKind::malloc_in_use)) (first ? last : first) = std::move(levels);
  };
  look(0);
  for (const Cycle& cycle : recording.cycles) look(cycle.number);
  if (!first || !last) return std::nullopt;
  return std::pair{*std::move(first), *std::move(last)};
}

}  // namespace

std::string_view name_of(KeptIn place) {
  switch (place) {
    case KeptIn::pieces:
      return "pieces";
    case KeptIn::thread_arenas:
      return "thread_arenas";
    case KeptIn::top:
      return "top";
    case KeptIn::v8_pages:
      break;
  }
  return "v8_pages";
}

double Retention::grown() const {
  double sum = 0;
  for (const KeptMemory& part : parts) sum += part.grown();
  return sum;
}

Retention find_retention(const Recording& recording) {
  const auto ends = ends_of(recording);
  if (!ends) return {};
  const auto& [first, last] = *ends;
  Retention found;
  for (const auto& [place, kind] : {std::pair{KeptIn::pieces, GaugeKind::malloc_free},
                                    std::pair{KeptIn::thread_arenas, GaugeKind::malloc_thread_free},
                                    std::pair{KeptIn::top, GaugeKind::malloc_top}}) {
    if (have(first, last, {kind})) found.parts.push_back({place, first.at(kind), last.at(kind)});
  }
  if (have(first, last, {GaugeKind::heap_total, GaugeKind::heap_used}))
    found.parts.push_back({KeptIn::v8_pages,
                           first.at(GaugeKind::heap_total) - first.at(GaugeKind::heap_used),
                           last.at(GaugeKind::heap_total) - last.at(GaugeKind::heap_used)});
  const auto level = [&](GaugeKind kind) { return last.contains(kind) ? last.at(kind) : 0; };
  found.anonymous = level(GaugeKind::anon) + level(GaugeKind::swap);
  found.in_use = level(GaugeKind::malloc_in_use);
  found.pieces = static_cast<std::uint64_t>(level(GaugeKind::malloc_free_chunks));
  found.thread_arenas = static_cast<std::uint64_t>(level(GaugeKind::malloc_thread_arenas));

  std::erase_if(found.parts, [](const KeptMemory& part) { return part.grown() <= 0; });
  const double grown = found.grown();
  if (grown < least_growth || grown < least_share * found.anonymous) found.parts.clear();
  std::erase_if(found.parts,
                [&](const KeptMemory& part) { return part.grown() < least_part * grown; });
  std::ranges::stable_sort(found.parts, std::ranges::greater(), &KeptMemory::grown);
  return found;
}

}  // namespace ebbtide
