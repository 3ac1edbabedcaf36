// Answers: what are a run's files called? The reports' names are those of the plan that asks for
// them.
#pragma once

#include <string_view>

#include "recording/run.h"

namespace ebbtide {

constexpr std::string_view summary_name = "06-03-SUMMARY.md";
constexpr std::string_view compare_report_name = "06-03-compare.md";

constexpr std::string_view report_name(RunKind kind) {
  switch (kind) {
    case RunKind::connections:
      return "06-03-websocket-profile.md";
    case RunKind::broadcast:
      return "06-03-broadcast-profile.md";
    case RunKind::leak:
      break;
  }
  return "06-03-memory-analysis.md";
}

constexpr std::string_view results_name(RunKind kind) {
  switch (kind) {
    case RunKind::connections:
      return "results-connections.json";
    case RunKind::broadcast:
      return "results-broadcast.json";
    case RunKind::leak:
      break;
  }
  return "results.json";
}

}  // namespace ebbtide
