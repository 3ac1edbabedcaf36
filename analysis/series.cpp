#include "analysis/series.h"

#include <algorithm>
#include <map>
#include <optional>
#include <utility>

#include "analysis/holders.h"

namespace ebbtide {
namespace {

struct Reading {
  std::uint64_t ts_ns = 0;
  __int128 value = 0;  // a damaged file may hold any int64: their sum must not overflow
  std::size_t terms = 0;
};

// Sums by cycle; a gauge read twice at one settle point counts with its last reading.
std::map<std::uint32_t, Reading> settled_readings(const Recording& recording,
                                                  std::span<const GaugeTerm> terms) {
  std::map<std::uint32_t, Reading> sums;
  for (const GaugeTerm& term : terms) {
    std::map<std::uint32_t, const Gauge*> last;
    for (const Gauge& gauge : recording.gauges) {
      if (gauge.kind != term.kind || gauge.point != Point::settled) continue;
      if (!is_void(recording, gauge)) last[gauge.cycle] = &gauge;
    }
    for (const auto& [cycle, gauge] : last) {
      Reading& sum = sums[cycle];
      sum.ts_ns = gauge->ts_ns;
      sum.value += static_cast<__int128>(term.sign) * gauge->value;
      ++sum.terms;
    }
  }
  std::erase_if(sums, [&](const auto& entry) { return entry.second.terms != terms.size(); });
  return sums;
}

}  // namespace

bool is_void(const Recording& recording, const Gauge& gauge) {
  switch (gauge.kind) {
    case GaugeKind::rss:
    case GaugeKind::pss:
    case GaugeKind::anon:
    case GaugeKind::private_dirty:
    case GaugeKind::swap:
    case GaugeKind::mappings:
    case GaugeKind::mapped_bytes:
    case GaugeKind::heap_total:
    case GaugeKind::malloc_resident:
    case GaugeKind::malloc_in_use:
    case GaugeKind::malloc_blocks:
    case GaugeKind::malloc_mmapped:
    case GaugeKind::malloc_free:
    case GaugeKind::malloc_top:
    case GaugeKind::malloc_thread_free:
    case GaugeKind::malloc_free_chunks:
      return std::ranges::any_of(recording.snapshot_files, [&](const SnapshotFile& file) {
        return gauge.ts_ns >= file.ts_ns;
      });
    default:
      return false;
  }
}

FloorSeries floor_series(const Recording& recording, std::span<const GaugeTerm> terms) {
  FloorSeries series;
  const auto readings = settled_readings(recording, terms);
  std::optional<Reading> origin;
  bool previous_cycle_read = false;
  const auto shares = held_shares(recording);
  double connections = 0;
  double dose = 0;

  const auto append = [&](std::uint32_t cycle, bool idle) {
    const auto found = readings.find(cycle);
    const bool adjacent = std::exchange(previous_cycle_read, found != readings.end());
    if (found == readings.end()) return;
    if (!origin) origin = found->second;
    const auto elapsed = static_cast<std::int64_t>(found->second.ts_ns - origin->ts_ns);
    const FloorPoint point{cycle, connections, static_cast<double>(elapsed) * 1e-9,
                           static_cast<double>(found->second.value - origin->value), dose};
    series.readings.push_back(point);
    if (found->second.value > 0) series.ever_above_zero = true;
    if (series.points.empty() || series.points.back().connections != point.connections) {
      series.points.push_back(point);
      return;
    }
    FloorPoint& last = series.points.back();
    if (idle && adjacent) {
      series.idle.push_back({0, point.seconds - last.seconds, point.value - last.value});
    }
    last = point;
  };

  append(0, false);
  for (const Cycle& cycle : recording.cycles) {
    const double held = cycle.established * shares.at(cycle.number);
    connections += held;
    if (held > 0) dose = held;
    append(cycle.number, cycle.dose == 0);
  }
  return series;
}

std::vector<FloorStep> steps_of(std::span<const FloorPoint> points) {
  std::vector<FloorStep> steps;
  for (std::size_t i = 1; i < points.size(); ++i) {
    steps.push_back({points[i].connections - points[i - 1].connections,
                     points[i].seconds - points[i - 1].seconds,
                     points[i].value - points[i - 1].value, points[i].dose - points[i - 1].dose});
  }
  return steps;
}

}  // namespace ebbtide
