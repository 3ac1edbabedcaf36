// Answers: what is this enumerator called in the recording, in JSON and in a report, and in which
// unit? One table per enum; the stored names are part of the schema (docs/recording.md).
#pragma once

#include <optional>
#include <string_view>

#include "recording/run.h"

namespace ebbtide {

enum class Unit : std::uint8_t { bytes, count, nanoseconds };

struct GaugeInfo {
  std::string_view name;   // stored: "heap_used"
  std::string_view title;  // shown: "V8 heap used"
  Unit unit;
};

// The tables' rows in enumerator order.
const GaugeInfo& gauge_info(GaugeKind kind);

std::string_view name_of(Phase value);                // "open"
std::string_view name_of(Point value);                // "settled"
std::string_view name_of(ResourceKind value);         // "accepted_socket"
std::string_view name_of(GaugeKind value);            // "heap_used"
std::string_view name_of(EndReason value);            // "target_exited"
std::string_view name_of(Stage value);                // "upgrade"
std::string_view name_of(ClosedFirst value);          // "peer"
std::string_view name_of(Collector value);            // "mark_compact"
std::string_view name_of(FdOperation value);          // "accept"
std::string_view name_of(HeapSource value);           // "live"
std::string_view name_of(PathStep value);             // "variable"
std::string_view name_of(RunKind value);              // "broadcast"
std::string_view name_of(CloseMode value);            // "half_open"
std::string_view name_of(LatencyKind value);          // "delivery"
std::string_view tcp_state_name(std::uint8_t state);  // "CLOSE_WAIT"; "?" when out of range

// The reverse of name_of, for E any enum above; nullopt when the name is unknown.
template <class E>
std::optional<E> parse_name(std::string_view name);

}  // namespace ebbtide
