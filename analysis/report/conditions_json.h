// Answers: how does a program read under which conditions a run stood, and its gauges? What all
// results files have in common.
#pragma once

#include <cstdint>
#include <nlohmann/json_fwd.hpp>
#include <string>

#include "recording/run.h"

namespace ebbtide {

nlohmann::ordered_json conditions_json(const Recording& recording);
nlohmann::ordered_json losses_json(const Recording& recording);

// {"rss_bytes": {"opened": …, "settled": …}, "fds_count": …}, in GaugeKind's order.
nlohmann::ordered_json gauges_json(const Recording& recording, std::uint32_t cycle);

// JSON needs valid UTF-8, and what prints it a terminal without surprises.
std::string json_text(const std::string& value);

// Indented, ends with a line break.
std::string json_text(const nlohmann::ordered_json& root);

}  // namespace ebbtide
