// Answers: what else happened during a run that its figures may show? Recorded and told, never
// averaged away.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "analysis/join.h"
#include "recording/run.h"

namespace ebbtide {

enum class DisturbanceKind : std::uint8_t {
  other_clients,  // connections that nobody here opened
  unsettled,      // the settling ended by its cap
  failed,         // connections that were asked for and not established
  no_collection,  // no forced collection where there was one before
  starved,        // the target was ready to run while others had the CPUs
};

std::string_view disturbance_name(DisturbanceKind kind);  // for JSON: "other_clients", …

struct Disturbance {
  DisturbanceKind kind = DisturbanceKind::other_clients;
  std::uint64_t count = 0;            // connections; else cycles
  std::vector<std::uint32_t> cycles;  // ascending
  std::string text;  // "12 connections of other clients came in cycles 3 and 5–7"
};

// By kind; none that did not happen.
std::vector<Disturbance> find_disturbances(const Recording& recording, const SocketJoin& join);

}  // namespace ebbtide
