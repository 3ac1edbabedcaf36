#include <fmt/format.h>

#include <algorithm>
#include <cctype>
#include <map>

#include "analysis/cool_down.h"
#include "analysis/disturbances.h"
#include "analysis/format.h"
#include "analysis/readings.h"
#include "analysis/report/sections.h"
#include "analysis/report/table.h"
#include "analysis/thresholds.h"

namespace ebbtide {
namespace {

std::string reading_text(const Readings& readings, GaugeKind kind, Point point,
                         std::uint32_t cycle) {
  const auto value = readings.at(kind, point, cycle);
  if (!value) return "–";
  const Unit unit = gauge_info(kind).unit;
  if (unit == Unit::count) return integer_text(*value);
  return amount_text(static_cast<double>(*value), unit);
}

const PhaseSpan* settle_of(const Recording& recording, std::uint32_t cycle) {
  for (const PhaseSpan& span : recording.phases) {
    if (span.cycle == cycle && span.phase == Phase::settle) return &span;
  }
  return nullptr;
}

std::string settle_text(const Recording& recording, std::uint32_t cycle) {
  const PhaseSpan* settle = settle_of(recording, cycle);
  if (settle == nullptr) return "–";
  std::string text = span_text(settle->start_ns, settle->end_ns);
  if (settle->hit_cap) text += " (cap)";
  if (settle->sockets_left > 0) text += ", " + counted(settle->sockets_left, "socket") + " left";
  return text;
}

std::string rss_table(const Recording& recording, const Readings& readings) {
  MarkdownTable table({{"cycle"},
                       {"connections"},
                       {"before"},
                       {"after open"},
                       {"after close"},
                       {"settled"},
                       {"settled after"}});
  std::uint32_t previous = 0;
  for (const Cycle& cycle : recording.cycles) {
    const auto rss = [&](Point point, std::uint32_t number) {
      return reading_text(readings, GaugeKind::rss, point, number);
    };
    table.row({cycle_title(recording, cycle), fmt::format("{} / {}", cycle.established, cycle.dose),
               rss(Point::settled, previous), rss(Point::opened, cycle.number),
               rss(Point::closed, cycle.number), rss(Point::settled, cycle.number),
               settle_text(recording, cycle.number)});
    previous = cycle.number;
  }
  return "### RSS through each cycle\n\nConnections are established / asked for.\n\n" +
         table.folded("All cycles");
}

std::string floor_table(const Recording& recording, const Readings& readings) {
  constexpr std::array kinds = {GaugeKind::pss,           GaugeKind::anon,
                                GaugeKind::malloc_in_use, GaugeKind::malloc_blocks,
                                GaugeKind::heap_used,     GaugeKind::external,
                                GaugeKind::fds,           GaugeKind::sockets_accepted,
                                GaugeKind::mappings,      GaugeKind::threads,
                                GaugeKind::children};
  std::vector<MarkdownColumn> columns = {{"cycle"}};
  std::vector<GaugeKind> read;
  for (const GaugeKind kind : kinds) {
    if (!was_read(recording, kind)) continue;
    read.push_back(kind);
    columns.push_back({std::string(gauge_info(kind).title)});
  }
  if (read.empty()) return "No gauge was read at a settle point.\n\n";
  MarkdownTable table(columns);
  const auto add = [&](const std::string& title, std::uint32_t cycle) {
    std::vector<std::string> cells = {title};
    for (const GaugeKind kind : read)
      cells.push_back(reading_text(readings, kind, Point::settled, cycle));
    table.row(std::move(cells));
  };
  add("baseline", 0);
  for (const Cycle& cycle : recording.cycles) add(cycle_title(recording, cycle), cycle.number);
  return "### Levels at the settle points\n\n" + table.folded("All settle points");
}

std::string gc_part(const Recording& recording) {
  if (recording.gcs.empty()) return "";
  std::map<Collector, std::vector<double>> pauses;
  for (const Gc& gc : recording.gcs) {
    if (gc.end_ns < gc.start_ns) continue;
    pauses[gc.collector].push_back(static_cast<double>(gc.end_ns - gc.start_ns) * 1e-9);
  }
  MarkdownTable table({{"collector", Align::left}, {"runs"}, {"median"}, {"longest"}, {"in all"}});
  for (auto& [collector, seconds] : pauses) {
    std::ranges::sort(seconds);
    double total = 0;
    for (const double value : seconds) total += value;
    table.row({std::string(name_of(collector)),
               integer_text(static_cast<std::int64_t>(seconds.size())),
               duration_text(percentile(seconds, 0.5)), duration_text(seconds.back()),
               duration_text(total)});
  }
  return "### Garbage collection\n\n" + table.markdown();
}

}  // namespace

std::string cycle_title(const Recording& recording, const Cycle& cycle) {
  if (cycle.dose > 0) return fmt::format("{}", cycle.number);
  const bool cools_down = find_cool_down(recording).has(cycle.number);
  return fmt::format("{} ({})", cycle.number, cools_down ? "cool-down" : "idle");
}

std::string disturbances_part(const ReportInput& input) {
  if (input.recording.cycles.empty()) return "";
  std::string text = "### Disturbances\n\n";
  const auto disturbances = find_disturbances(input.recording, input.join);
  for (const Disturbance& disturbance : disturbances) {
    std::string line = disturbance.text;
    line.front() = static_cast<char>(std::toupper(static_cast<unsigned char>(line.front())));
    text += "- " + line + ".\n";
  }
  if (disturbances.empty()) {
    text +=
        "None that were looked for: other clients, cycles that did not settle, connections that "
        "failed, collections that did not come, a target without a CPU.\n";
  }
  return text + "\n";
}

std::string test_results_section(const ReportInput& input) {
  const Recording& recording = input.recording;
  std::string text = "## Memory Test Results\n\n";
  if (recording.cycles.empty()) {
    text += "No cycle finished.\n\n";
  } else {
    const Readings readings(recording);
    text += disturbances_part(input) + rss_table(recording, readings) +
            floor_table(recording, readings);
  }
  return text + connections_part(input) + gc_part(recording);
}

}  // namespace ebbtide
