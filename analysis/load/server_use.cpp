#include "analysis/load/server_use.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <map>

#include "recording/span.h"

namespace ebbtide {
namespace {

constexpr std::array cycle_phases = {Phase::open, Phase::hold, Phase::close, Phase::settle};
constexpr double seldom_delayed = 0.25;  // of the phase
constexpr std::array phase_ends = {Point::opened, Point::held, Point::closed, Point::settled};

std::optional<double> sum_of(const Readings& readings, const std::vector<GaugeKind>& kinds,
                             Point point, std::uint32_t cycle) {
  double sum = 0;
  for (const GaugeKind kind : kinds) {
    const auto value = readings.at(kind, point, cycle);
    if (!value) return std::nullopt;
    sum += static_cast<double>(*value);
  }
  return sum;
}

std::optional<double> floor_of(const Readings& readings, const std::vector<GaugeKind>& kinds,
                               std::uint32_t cycle) {
  for (std::uint32_t earlier = cycle; earlier-- > 0;) {
    if (const auto sum = sum_of(readings, kinds, Point::settled, earlier)) return sum;
  }
  return std::nullopt;
}

template <class Use>
const Use* find_in(const std::vector<Use>& uses, Phase phase) {
  const auto found = std::ranges::find(uses, phase, &Use::phase);
  return found == uses.end() ? nullptr : &*found;
}

}  // namespace

std::optional<double> LevelOfUse::growth() const {
  if (!held || !floor) return std::nullopt;
  return *held - *floor;
}

std::optional<double> LevelOfUse::returned() const {
  const auto grown = growth();
  if (!grown || *grown <= 0 || !settled) return std::nullopt;
  return std::max(0.0, (*held - *settled) / *grown);
}

const PhaseSpan* phase_of(const Recording& recording, std::uint32_t cycle, Phase phase) {
  for (const PhaseSpan& span : recording.phases) {
    if (span.cycle == cycle && span.phase == phase) return &span;
  }
  return nullptr;
}

std::uint64_t start_of_cycle(const Recording& recording, std::uint32_t cycle) {
  const PhaseSpan* open = phase_of(recording, cycle, Phase::open);
  return open == nullptr ? 0 : open->start_ns;
}

std::vector<CpuUse> cpu_uses(const Recording& recording, const Readings& readings,
                             std::uint32_t cycle) {
  std::vector<CpuUse> uses;
  const auto read = [&](GaugeKind kind, std::size_t end) {
    return end == 0 ? readings.floor_before(kind, cycle)
                    : readings.at(kind, phase_ends[end - 1], cycle);
  };
  for (std::size_t i = 0; i < cycle_phases.size(); ++i) {
    const PhaseSpan* span = phase_of(recording, cycle, cycle_phases[i]);
    const auto user = read(GaugeKind::cpu_user, i);
    const auto system = read(GaugeKind::cpu_system, i);
    const auto user_after = read(GaugeKind::cpu_user, i + 1);
    const auto system_after = read(GaugeKind::cpu_system, i + 1);
    if (span == nullptr || !user || !system || !user_after || !system_after) continue;
    uses.push_back({cycle_phases[i], span_seconds(span->start_ns, span->end_ns),
                    static_cast<double>(*user_after - *user) * 1e-9,
                    static_cast<double>(*system_after - *system) * 1e-9});
  }
  return uses;
}

// Half of its time or more asleep elsewhere: no loop; and when most threads are none, none is.
std::set<std::int32_t> loop_threads(const Recording& recording) {
  struct Time {
    std::uint64_t whole_ns = 0;
    std::uint64_t asleep_ns = 0;  // in its turns
  };
  std::map<std::int32_t, Time> times;
  for (const LoopActivity& activity : recording.loop_activities) {
    Time& time = times[activity.tid];
    time.whole_ns += activity.busy_ns + activity.waiting_ns;
    const std::uint64_t ready_ns = activity.cpu_ns + activity.delayed_ns;
    time.asleep_ns += activity.busy_ns - std::min(activity.busy_ns, ready_ns);
  }
  const bool known = std::ranges::any_of(recording.loop_activities,
                                         [](const LoopActivity& each) { return each.cpu_ns > 0; });
  std::set<std::int32_t> threads;
  for (const auto& [tid, time] : times) {
    if (!known || 2 * time.asleep_ns < time.whole_ns) threads.insert(tid);
  }
  if (2 * threads.size() < times.size()) threads.clear();
  return threads;
}

std::vector<LoopUse> loop_uses(const Recording& recording, std::uint32_t cycle) {
  const std::set<std::int32_t> threads = loop_threads(recording);
  std::map<Phase, const LoopActivity*> busiest;
  for (const LoopActivity& activity : recording.loop_activities) {
    if (activity.cycle != cycle || !threads.contains(activity.tid)) continue;
    if (activity.busy_ns + activity.waiting_ns == 0) continue;
    const LoopActivity*& most = busiest[activity.phase];
    if (most == nullptr || activity.busy_ns > most->busy_ns) most = &activity;
  }
  const std::uint64_t start_ns = start_of_cycle(recording, cycle);
  std::vector<LoopUse> uses;
  for (const auto& [phase, activity] : busiest) {
    const auto busy = static_cast<double>(activity->busy_ns);
    const double whole = busy + static_cast<double>(activity->waiting_ns);
    uses.push_back({phase, activity->tid, busy / whole,
                    static_cast<double>(activity->longest_ns) * 1e-9,
                    span_seconds(start_ns, activity->longest_start_ns),
                    std::min(1.0, static_cast<double>(activity->delayed_ns) / whole)});
  }
  return uses;
}

std::vector<LevelOfUse> levels_of_use(const Readings& readings, std::uint32_t cycle) {
  std::vector<LevelOfUse> uses = {
      {.subject = "RSS", .kinds = {GaugeKind::rss}},
      {.subject = "PSS", .kinds = {GaugeKind::pss}},
      {.subject = "V8 heap reachable", .kinds = {GaugeKind::heap_live}},
      {.subject = "V8 heap and Buffers reachable",
       .kinds = {GaugeKind::heap_live, GaugeKind::heap_live_external}},
      {.subject = "kernel socket queues", .kinds = {GaugeKind::socket_memory}},
      {.subject = "file descriptors", .unit = Unit::count, .kinds = {GaugeKind::fds}},
  };
  for (LevelOfUse& use : uses) {
    use.floor = floor_of(readings, use.kinds, cycle);
    use.opened = sum_of(readings, use.kinds, Point::opened, cycle);
    use.held = sum_of(readings, use.kinds, Point::held, cycle);
    use.settled = sum_of(readings, use.kinds, Point::settled, cycle);
  }
  std::erase_if(uses,
                [](const LevelOfUse& use) { return !use.opened && !use.held && !use.settled; });
  return uses;
}

std::optional<double> driver_share(const Recording& recording, std::uint32_t cycle, Phase phase) {
  for (const DriverLoad& load : recording.driver_loads) {
    if (load.cycle != cycle || load.phase != phase || load.span_ns == 0) continue;
    return static_cast<double>(load.cpu_ns) / static_cast<double>(load.span_ns);
  }
  return std::nullopt;
}

const CpuUse* use_in(const std::vector<CpuUse>& uses, Phase phase) { return find_in(uses, phase); }

const LoopUse* use_in(const std::vector<LoopUse>& uses, Phase phase) {
  return find_in(uses, phase);
}

bool is_delayed(const LoopUse& use) { return use.delayed_share > seldom_delayed; }

std::string delay_text(const LoopUse& use) {
  if (!is_delayed(use)) return "";
  return fmt::format(", {:.0f} % of the time ready to run while others had the CPU",
                     use.delayed_share * 100);
}

const LoopUse* longest_turn(const std::vector<LoopUse>& uses) {
  const auto longest = std::ranges::max_element(uses, {}, &LoopUse::longest_seconds);
  return longest == uses.end() ? nullptr : &*longest;
}

}  // namespace ebbtide
