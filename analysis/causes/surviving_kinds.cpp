#include "analysis/causes/surviving_kinds.h"

#include <fmt/format.h>

#include <algorithm>
#include <optional>

#include "analysis/format.h"

namespace ebbtide {
namespace {

// Fewer timers than one of two connections follow something else.
constexpr double timers_that_count = 0.5;

std::vector<ReviewResource> takers_of(ResourceKind kind) {
  switch (kind) {
    case ResourceKind::accepted_socket:
      return {ReviewResource::connection};
    case ResourceKind::outgoing_socket:
      return {ReviewResource::socket, ReviewResource::client, ReviewResource::subscription};
    case ResourceKind::thread:
      return {ReviewResource::worker};
    case ResourceKind::child:
      return {ReviewResource::process};
    case ResourceKind::fd:
      return {ReviewResource::stream, ReviewResource::watcher};
    case ResourceKind::mapping:
      break;
  }
  return {};
}

std::optional<ResourceKind> kind_of(const Judgement& judgement) {
  if (judgement.evidence == Judgement::Evidence::survivors) return judgement.resource;
  switch (judgement.gauge) {
    case GaugeKind::sockets_accepted:
      return ResourceKind::accepted_socket;
    case GaugeKind::sockets_outgoing:
      return ResourceKind::outgoing_socket;
    case GaugeKind::threads:
      return ResourceKind::thread;
    case GaugeKind::children:
      return ResourceKind::child;
    case GaugeKind::fds:
      return ResourceKind::fd;
    default:
      return std::nullopt;
  }
}

// Timers by the inspector's list of what keeps the event loop alive, from the first cycle's end on.
std::optional<SurvivingKind> surviving_timers(const Recording& recording) {
  if (recording.cycles.size() < 2) return std::nullopt;
  const std::uint32_t first = recording.cycles.front().number;
  const std::uint32_t last = recording.cycles.back().number;
  double connections = 0;
  for (const Cycle& cycle : recording.cycles)
    connections += cycle.number > first ? cycle.established : 0;
  std::int64_t more = 0;
  for (const ActiveResource& row : recording.active_resources) {
    if (row.kind != "Timeout") continue;
    if (row.cycle == first) more -= static_cast<std::int64_t>(row.count);
    if (row.cycle == last) more += static_cast<std::int64_t>(row.count);
  }
  if (connections == 0 || static_cast<double>(more) < timers_that_count * connections)
    return std::nullopt;
  return SurvivingKind{{ReviewResource::timer},
                       fmt::format("{} armed timers per connection stay",
                                   count_text(static_cast<double>(more) / connections))};
}

}  // namespace

std::vector<SurvivingKind> surviving_kinds(const Recording& recording,
                                           const Assessment& assessment) {
  std::vector<SurvivingKind> kinds;
  std::vector<ResourceKind> seen;
  for (const Judgement& judgement : assessment.judgements) {
    if (!judgement.decisive || judgement.verdict != Verdict::leak) continue;
    const auto kind = kind_of(judgement);
    if (!kind || std::ranges::find(seen, *kind) != seen.end()) continue;
    seen.push_back(*kind);
    std::vector<ReviewResource> takers = takers_of(*kind);
    if (takers.empty()) continue;
    kinds.push_back(
        {std::move(takers),
         fmt::format("{} {} per connection survive",
                     amount_text(judgement.per_connection, judgement.unit), judgement.subject)});
  }
  if (auto timers = surviving_timers(recording)) kinds.push_back(*std::move(timers));
  return kinds;
}

}  // namespace ebbtide
