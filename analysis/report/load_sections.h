// Answers: how do the reports of connections and of a broadcast show what they have in common:
// latencies, failures, and what the server spent?
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "analysis/load/failure_reasons.h"
#include "analysis/load/latencies.h"
#include "analysis/load/server_use.h"
#include "analysis/report/table.h"
#include "recording/run.h"

namespace ebbtide {

// "–" for what was not measured.
std::string optional_count(const std::optional<std::uint64_t>& count);
std::string optional_amount(const std::optional<double>& amount, Unit unit);
std::string optional_share(const std::optional<double>& share);  // "98 %"

std::string rate_text(const std::optional<double>& per_second);  // "4,968", "20.0"

// n, p50, p90, p99, p99.9, max.
std::vector<MarkdownColumn> latency_columns();
std::vector<std::string> latency_cells(const Latencies& latencies);

// "at upgrade: HTTP 503 `server said no`", escaped for a table's cell.
std::string failure_cell(const FailureReason& reason);

// One row per phase: CPU, the busiest loop, its longest turn. `first` names the cycle.
std::vector<MarkdownColumn> phase_columns(const std::string& first);
void add_phases(MarkdownTable& table, const std::string& first, const std::vector<CpuUse>& cpu,
                const std::vector<LoopUse>& loops);

// Said once below a table of phases.
std::string phases_note(const Recording& recording);

// "# TITLE: `command`", the answer, and a list of `lines`, each without its mark.
std::string report_head(const std::string& title, const Recording& recording,
                        const std::string& sentence, const std::vector<std::string>& lines);

// "## Recommendations for Phase 7" as a list; `none` when there is nothing to recommend.
std::string advice_section(const std::vector<std::string>& advice, const std::string& none);

}  // namespace ebbtide
