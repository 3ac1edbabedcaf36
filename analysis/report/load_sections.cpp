#include "analysis/report/load_sections.h"

#include <fmt/format.h>

#include <cmath>

#include "analysis/format.h"
#include "analysis/report/conditions.h"
#include "analysis/report/escape.h"

namespace ebbtide {
namespace {

const std::string not_measured = "–";

}  // namespace

std::string optional_count(const std::optional<std::uint64_t>& count) {
  return count ? number_text(*count) : not_measured;
}

std::string optional_amount(const std::optional<double>& amount, Unit unit) {
  return amount ? amount_text(*amount, unit) : not_measured;
}

std::string optional_share(const std::optional<double>& share) {
  return share ? percent_text(*share) : not_measured;
}

std::string rate_text(const std::optional<double>& per_second) {
  if (!per_second) return not_measured;
  if (*per_second < 100) return count_text(*per_second);
  return integer_text(std::llround(*per_second));
}

std::vector<MarkdownColumn> latency_columns() {
  return {{"n"}, {"p50"}, {"p90"}, {"p99"}, {"p99.9"}, {"max"}};
}

std::vector<std::string> latency_cells(const Latencies& latencies) {
  if (latencies.count == 0) {
    return {"0", not_measured, not_measured, not_measured, not_measured, not_measured};
  }
  return {number_text(latencies.count),  duration_text(latencies.p50),
          duration_text(latencies.p90),  duration_text(latencies.p99),
          duration_text(latencies.p999), duration_text(latencies.max)};
}

std::string failure_cell(const FailureReason& reason) {
  return fmt::format("at {}: {}", name_of(reason.stage), cell_code(reason.text, 120));
}

std::vector<MarkdownColumn> phase_columns(const std::string& first) {
  return {{first},        {"phase", Align::left}, {"length"},          {"CPU user"},
          {"CPU system"}, {"event loop busy"},    {"waits for a CPU"}, {"longest turn"},
          {"at"}};
}

void add_phases(MarkdownTable& table, const std::string& first, const std::vector<CpuUse>& cpu,
                const std::vector<LoopUse>& loops) {
  for (const Phase phase : {Phase::open, Phase::hold, Phase::close, Phase::settle}) {
    const CpuUse* spent = use_in(cpu, phase);
    const LoopUse* loop = use_in(loops, phase);
    if (spent == nullptr && loop == nullptr) continue;
    std::vector<std::string> cells = {first, std::string(name_of(phase))};
    if (spent == nullptr) {
      cells.insert(cells.end(), 3, not_measured);
    } else {
      for (const double seconds : {spent->span_seconds, spent->user_seconds, spent->system_seconds})
        cells.push_back(duration_text(seconds));
    }
    if (loop == nullptr) {
      cells.insert(cells.end(), 4, not_measured);
    } else {
      cells.push_back(optional_share(loop->busy_share));
      cells.push_back(optional_share(loop->delayed_share));
      cells.push_back(duration_text(loop->longest_seconds));
      cells.push_back(duration_text(loop->longest_at_seconds));
    }
    table.row(std::move(cells));
  }
}

std::string phases_note(const Recording& recording) {
  std::string text =
      "CPU is that of the target's processes. The event loop is that of the busiest thread; a turn "
      "is what passes between two waits for events, \"at\" when the longest began, counted from "
      "the beginning of the open phase. It waits for a CPU when it is ready to run and others "
      "have them all; most of that is busy time too.";
  if (recording.loop_activities.empty()) {
    text += " No event loop was seen: that needs eBPF.";
  } else if (loop_threads(recording).empty()) {
    text +=
        " The target's threads also sleep elsewhere than where they wait for events, as those of "
        "Go and Tokio do, so that there is no event loop to tell of.";
  }
  return text + "\n\n";
}

std::string report_head(const std::string& title, const Recording& recording,
                        const std::string& sentence, const std::vector<std::string>& lines) {
  std::string text = "# " + title + ": " + code_span(recording.run.cmdline, 80) + "\n\n**" +
                     prose(sentence) + "**\n\n";
  for (const std::string& line : lines) {
    if (!line.empty()) text += "- " + line + "\n";
  }
  return text + losses_line(recording) + "\n";
}

std::string advice_section(const std::vector<std::string>& advice, const std::string& none) {
  std::string text = "## Recommendations for Phase 7\n\n";
  if (advice.empty()) return text + none + "\n\n";
  for (const std::string& item : advice) text += "- " + item + "\n";
  return text + "\n";
}

}  // namespace ebbtide
