#include "analysis/holders.h"

#include <limits>

namespace ebbtide {
namespace {

std::map<std::uint32_t, Holders> holders_by_cycle(const Recording& recording) {
  std::map<std::uint32_t, Holders> by_cycle;
  for (const Gauge& gauge : recording.gauges) {
    if (gauge.value < 0 || gauge.value > std::numeric_limits<std::uint32_t>::max()) continue;
    const auto count = static_cast<std::uint64_t>(gauge.value);
    if (gauge.kind == GaugeKind::sockets_held) by_cycle[gauge.cycle].traced += count;
    if (gauge.kind == GaugeKind::sockets_held_elsewhere) by_cycle[gauge.cycle].elsewhere += count;
  }
  return by_cycle;
}

}  // namespace

Holders find_holders(const Recording& recording) {
  Holders sum;
  for (const auto& [cycle, holders] : holders_by_cycle(recording)) {
    sum.traced += holders.traced;
    sum.elsewhere += holders.elsewhere;
  }
  return sum;
}

std::map<std::uint32_t, double> held_shares(const Recording& recording) {
  std::map<std::uint32_t, double> shares;
  for (const Cycle& cycle : recording.cycles) shares[cycle.number] = 1;
  if (!find_holders(recording).shared()) return shares;
  for (const auto& [cycle, holders] : holders_by_cycle(recording)) {
    if (holders.seen() == 0) continue;
    shares[cycle] = static_cast<double>(holders.traced) / static_cast<double>(holders.seen());
  }
  return shares;
}

}  // namespace ebbtide
