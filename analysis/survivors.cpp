#include "analysis/survivors.h"

#include <algorithm>
#include <array>
#include <map>

#include "analysis/thresholds.h"

namespace ebbtide {
namespace {

bool alive_at(const Resource& resource, std::uint64_t ts_ns) {
  return resource.birth_ns <= ts_ns && (resource.death_ns == 0 || resource.death_ns > ts_ns);
}

// When it was looked what is left of each finished cycle: the censuses, by which some resources are
// dated, follow its end.
std::vector<std::uint64_t> settled_at(const Recording& recording) {
  std::map<std::uint32_t, std::uint64_t> last_reading;
  for (const Gauge& gauge : recording.gauges) {
    std::uint64_t& ts_ns = last_reading[gauge.cycle];
    if (gauge.point == Point::settled) ts_ns = std::max(ts_ns, gauge.ts_ns);
  }
  std::vector<std::uint64_t> times;
  for (const Cycle& cycle : recording.cycles)
    times.push_back(std::max(cycle.end_ns, last_reading[cycle.number]));
  return times;
}

// Which survivors count. What [heap] grew by may as well be what malloc keeps free: where its
// blocks are counted, they say what was left.
struct Counted {
  const SocketJoin& join;
  bool heap_growth = true;

  Counted(const Recording& recording, const SocketJoin& sockets)
      : join(sockets), heap_growth(!was_read(recording, GaugeKind::malloc_in_use)) {}
  [[nodiscard]] bool has(const Resource& resource) const;
};

bool Counted::has(const Resource& resource) const {
  if (resource.birth_cycle == 0) return false;
  if (!heap_growth && resource.kind == ResourceKind::mapping && resource.label == "heap (brk)")
    return false;
  const bool foreign = resource.kind == ResourceKind::accepted_socket && join.useful() &&
                       !join.connection_of.contains(resource.id);
  return !foreign;
}

}  // namespace

std::vector<CohortSurvivors> find_survivors(const Recording& recording, const SocketJoin& join) {
  const auto& cycles = recording.cycles;
  std::vector<CohortSurvivors> rows;
  if (cycles.empty()) return rows;
  std::map<std::uint32_t, std::size_t> index_of;
  for (std::size_t i = 0; i < cycles.size(); ++i) index_of[cycles[i].number] = i;

  std::array<std::vector<CohortSurvivors>, resource_kind_count> table;
  for (std::size_t kind = 0; kind < resource_kind_count; ++kind) {
    for (const Cycle& cycle : cycles) {
      table[kind].push_back({.kind = static_cast<ResourceKind>(kind), .cycle = cycle.number});
    }
  }
  const std::vector<std::uint64_t> settled_ns = settled_at(recording);
  const Counted counted(recording, join);
  for (const Resource& resource : recording.resources) {
    const auto birth = index_of.find(resource.birth_cycle);
    if (birth == index_of.end() || !counted.has(resource)) continue;
    CohortSurvivors& row = table.at(static_cast<std::size_t>(resource.kind))[birth->second];
    const std::size_t next = std::min(birth->second + 1, cycles.size() - 1);
    ++row.births;
    row.survivors += alive_at(resource, settled_ns[next]);
    if (!alive_at(resource, settled_ns.back())) continue;
    ++row.alive_at_end;
    row.survivor_bytes += resource.size_bytes;
  }
  for (const BirthCount& count : recording.births) {
    const auto birth = index_of.find(count.cycle);
    // Sockets are recorded one by one, and their counts would bring the strangers back in.
    if (birth == index_of.end() || count.kind == ResourceKind::accepted_socket) continue;
    CohortSurvivors& row = table.at(static_cast<std::size_t>(count.kind))[birth->second];
    row.births = std::max(row.births, count.births);
  }
  for (const auto& cohorts : table) {
    if (std::ranges::any_of(cohorts, [](const auto& row) { return row.births > 0; })) {
      rows.insert(rows.end(), cohorts.begin(), cohorts.end());
    }
  }
  return rows;
}

std::vector<const Resource*> surviving_resources(const Recording& recording, const SocketJoin& join,
                                                 ResourceKind kind) {
  std::vector<const Resource*> alive;
  if (recording.cycles.empty()) return alive;
  std::map<std::uint32_t, std::uint32_t> dose_of;
  for (const Cycle& cycle : recording.cycles) dose_of[cycle.number] = cycle.dose;
  const std::uint64_t end_ns = settled_at(recording).back();
  const Counted counted(recording, join);
  for (const Resource& resource : recording.resources) {
    const auto cycle = dose_of.find(resource.birth_cycle);
    if (resource.kind == kind && cycle != dose_of.end() && cycle->second > 0 &&
        counted.has(resource) && alive_at(resource, end_ns)) {
      alive.push_back(&resource);
    }
  }
  std::ranges::stable_sort(alive, std::ranges::greater(), &Resource::size_bytes);
  return alive;
}

}  // namespace ebbtide
