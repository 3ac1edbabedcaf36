#include "analysis/disturbances.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <map>
#include <optional>

#include "analysis/format.h"
#include "analysis/readings.h"
#include "analysis/thresholds.h"

namespace ebbtide {
namespace {

// Of the CPU time that the target wanted in a cycle the part that others had; less than that, or
// than so long, is the usual give and take.
constexpr double starved_share = 1.0 / 3;
constexpr double starved_ns = 100e6;

// "cycle 3", "cycles 3 and 5–7".
std::string cycles_text(const std::vector<std::uint32_t>& cycles) {
  std::vector<std::string> ranges;
  for (std::size_t i = 0; i < cycles.size();) {
    std::size_t last = i;
    while (last + 1 < cycles.size() && cycles[last + 1] == cycles[last] + 1) ++last;
    ranges.push_back(last == i ? fmt::format("{}", cycles[i])
                               : fmt::format("{}–{}", cycles[i], cycles[last]));
    i = last + 1;
  }
  std::string text = cycles.size() == 1 ? "cycle " : "cycles ";
  for (std::size_t i = 0; i < ranges.size(); ++i) {
    if (i > 0) text += i + 1 == ranges.size() ? " and " : ", ";
    text += ranges[i];
  }
  return text;
}

using CountByCycle = std::map<std::uint32_t, std::uint64_t>;

CountByCycle other_clients(const Recording& recording, const SocketJoin& join) {
  CountByCycle counts;
  if (!join.useful()) return counts;
  for (const Resource& resource : recording.resources) {
    if (join.strangers.contains(resource.id)) ++counts[resource.birth_cycle];
  }
  return counts;
}

CountByCycle unsettled(const Recording& recording) {
  CountByCycle counts;
  for (const PhaseSpan& span : recording.phases) {
    const bool restless = span.hit_cap && span.sockets_left == 0;  // those left are told elsewhere
    if (span.phase == Phase::settle && restless) counts[span.cycle] = 1;
  }
  return counts;
}

CountByCycle failed(const Recording& recording) {
  CountByCycle counts;
  for (const Cycle& cycle : recording.cycles) {
    if (cycle.established < cycle.dose) counts[cycle.number] = cycle.dose - cycle.established;
  }
  return counts;
}

CountByCycle without_collection(const Recording& recording, const Readings& readings) {
  CountByCycle counts;
  if (!was_read(recording, GaugeKind::heap_used)) return counts;
  for (const Cycle& cycle : recording.cycles) {
    if (!readings.at(GaugeKind::heap_used, Point::settled, cycle.number)) counts[cycle.number] = 1;
  }
  return counts;
}

// CPU time that the target had, and time it waited for a CPU, from one settle point to the next.
CountByCycle starved(const Recording& recording, const Readings& readings) {
  CountByCycle counts;
  std::uint32_t before = 0;
  for (const Cycle& cycle : recording.cycles) {
    const auto change = [&](GaugeKind kind) -> std::optional<double> {
      const auto from = readings.at(kind, Point::settled, before);
      const auto to = readings.at(kind, Point::settled, cycle.number);
      if (!from || !to || *to < *from) return std::nullopt;
      return static_cast<double>(*to) - static_cast<double>(*from);
    };
    const auto waited = change(GaugeKind::cpu_delay);
    const auto user = change(GaugeKind::cpu_user);
    const auto system = change(GaugeKind::cpu_system);
    before = cycle.number;
    if (!waited || !user || !system || *waited < starved_ns) continue;
    if (*waited >= starved_share * (*waited + *user + *system)) counts[cycle.number] = 1;
  }
  return counts;
}

}  // namespace

std::string_view disturbance_name(DisturbanceKind kind) {
  switch (kind) {
    case DisturbanceKind::other_clients:
      return "other_clients";
    case DisturbanceKind::unsettled:
      return "unsettled";
    case DisturbanceKind::failed:
      return "failed_connections";
    case DisturbanceKind::no_collection:
      return "no_collection";
    case DisturbanceKind::starved:
      return "starved_of_cpu";
  }
  return "?";
}

std::vector<Disturbance> find_disturbances(const Recording& recording, const SocketJoin& join) {
  std::vector<Disturbance> found;
  const auto add = [&](DisturbanceKind kind, const CountByCycle& counts, const auto& text) {
    if (counts.empty()) return;
    Disturbance disturbance{.kind = kind, .count = 0, .cycles = {}, .text = ""};
    for (const auto& [cycle, count] : counts) {
      disturbance.cycles.push_back(cycle);
      disturbance.count += count;
    }
    disturbance.text = text(disturbance.count, cycles_text(disturbance.cycles));
    found.push_back(std::move(disturbance));
  };
  const Readings readings(recording);
  add(DisturbanceKind::other_clients, other_clients(recording, join),
      [](std::uint64_t count, const std::string& when) {
        return fmt::format("{} of other clients came in {}", counted(count, "connection"), when);
      });
  add(DisturbanceKind::unsettled, unsettled(recording), [](std::uint64_t, const std::string& when) {
    return fmt::format("the target did not come to rest before the cap in {}", when);
  });
  add(DisturbanceKind::failed, failed(recording), [](std::uint64_t count, const std::string& when) {
    return fmt::format("{} failed in {}", counted(count, "connection"), when);
  });
  add(DisturbanceKind::no_collection, without_collection(recording, readings),
      [](std::uint64_t, const std::string& when) {
        return fmt::format("no garbage collection could be forced in {}", when);
      });
  add(DisturbanceKind::starved, starved(recording, readings),
      [](std::uint64_t, const std::string& when) {
        return fmt::format(
            "the target waited for a CPU for a third of the time it wanted one in {}", when);
      });
  return found;
}

}  // namespace ebbtide
