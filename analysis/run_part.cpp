#include "analysis/run_part.h"

#include <unordered_set>

namespace ebbtide {
namespace {

// Calls change(rows) for every table whose rows belong to a cycle.
void for_each_table_of_cycles(Recording& recording, auto&& change) {
  change(recording.phases);
  change(recording.gauges);
  change(recording.connections);
  change(recording.births);
  change(recording.gcs);
  change(recording.faults);
  change(recording.fd_events);
  change(recording.heap_censuses);
  change(recording.heap_classes);
  change(recording.heap_path_levels);
  change(recording.active_resources);
  change(recording.heap_timers);
  change(recording.snapshot_files);
  change(recording.loop_activities);
  change(recording.loop_stalls);
  change(recording.driver_loads);
}

void forget_later_resources(Recording& recording, std::uint32_t end) {
  std::unordered_set<std::uint64_t> forgotten;
  for (const Resource& resource : recording.resources) {
    if (resource.birth_cycle >= end) forgotten.insert(resource.id);
  }
  std::erase_if(recording.resources, [&](const auto& row) { return forgotten.contains(row.id); });
  std::erase_if(recording.sockets,
                [&](const auto& row) { return forgotten.contains(row.resource_id); });
}

}  // namespace

Recording run_before(const Recording& run, std::uint32_t cycle) {
  Recording part = run;
  std::erase_if(part.cycles, [&](const Cycle& each) { return each.number >= cycle; });
  for_each_table_of_cycles(part, [&](auto& rows) {
    std::erase_if(rows, [&](const auto& row) { return row.cycle >= cycle; });
  });
  forget_later_resources(part, cycle);
  const std::uint64_t end_ns = part.cycles.empty() ? 0 : part.cycles.back().end_ns;
  std::erase_if(part.timeline, [&](const TimelinePoint& point) { return point.ts_ns > end_ns; });
  return part;
}

}  // namespace ebbtide
