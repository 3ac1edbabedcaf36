#include <fmt/format.h>

#include <map>
#include <optional>
#include <string>
#include <utility>

#include "analysis/format.h"
#include "analysis/report/sections.h"
#include "analysis/report/table.h"
#include "analysis/series.h"

namespace ebbtide {
namespace {

// Levels of one settle point, in bytes.
struct Balance {
  std::map<GaugeKind, double> gauges;
  double reachable = 0;
  double handles = 0, compiled = 0;
  double garbage = 0;
  double external = 0;
  double heap_pages = 0;

  [[nodiscard]] double gauge(GaugeKind kind) const {
    const auto found = gauges.find(kind);
    return found == gauges.end() ? 0 : found->second;
  }
  [[nodiscard]] double heap_free() const {
    return heap_pages - reachable - handles - compiled - garbage;
  }
  [[nodiscard]] bool has(GaugeKind kind) const { return gauges.contains(kind); }
  [[nodiscard]] double malloc_arenas() const { return gauge(GaugeKind::malloc_resident); }
  [[nodiscard]] double malloc_free() const {
    return gauge(GaugeKind::malloc_free) + gauge(GaugeKind::malloc_top) +
           gauge(GaugeKind::malloc_thread_free);
  }
  [[nodiscard]] double file_pages() const { return gauge(GaugeKind::rss) - gauge(GaugeKind::anon); }
};

// nullopt when the heap was not looked into after that cycle or its memory not read.
std::optional<Balance> balance_of(const Recording& recording, std::uint32_t cycle) {
  Balance balance;
  bool looked = false;
  for (const HeapCensus& census : recording.heap_censuses) {
    if (census.cycle != cycle || census.source != HeapSource::live) continue;
    looked = true;
    balance.reachable += static_cast<double>(census.reachable_bytes);
    balance.handles += static_cast<double>(census.handle_bytes);
    balance.compiled += static_cast<double>(census.compiled_bytes);
    balance.garbage += static_cast<double>(census.garbage_bytes);
    balance.external += static_cast<double>(census.external_bytes);
    balance.heap_pages += static_cast<double>(census.resident_bytes);
  }
  for (const Gauge& gauge : recording.gauges) {
    if (gauge.cycle == cycle && gauge.point == Point::settled && !is_void(recording, gauge))
      balance.gauges[gauge.kind] = static_cast<double>(gauge.value);
  }
  const bool measured =
      balance.gauges.contains(GaugeKind::rss) && balance.gauges.contains(GaugeKind::anon);
  return looked && measured ? std::optional(balance) : std::nullopt;
}

// The first and the last settle point that can be balanced.
std::optional<std::pair<Balance, Balance>> ends_of(const Recording& recording) {
  std::optional<Balance> first = balance_of(recording, 0);
  std::optional<Balance> last;
  for (const Cycle& cycle : recording.cycles) {
    auto balance = balance_of(recording, cycle.number);
    if (!balance) continue;
    (first ? last : first) = std::move(balance);
  }
  if (!first || !last) return std::nullopt;
  return std::pair{*std::move(first), *std::move(last)};
}

}  // namespace

std::string ledger_part(const ReportInput& input) {
  const auto ends = ends_of(input.recording);
  if (!ends) return "";
  const auto& [first, last] = *ends;
  const auto connections = static_cast<double>(input.assessment.connections);
  MarkdownTable table({{"resident memory", Align::left},
                       {"baseline"},
                       {"at the end"},
                       {"change"},
                       {"per connection"}});
  double explained = 0;
  const auto cells = [&](const std::string& title, double before, double after) {
    const double change = after - before;
    table.row({title, bytes_text(before), bytes_text(after), bytes_text(change),
               connections > 0 ? bytes_text(change / connections) : "–"});
  };
  const auto add = [&](const std::string& title, double before, double after) {
    explained += after - before;
    cells(title, before, after);
  };
  add("JavaScript objects that JavaScript refers to", first.reachable, last.reachable);
  add("JavaScript objects that only C++ handles hold", first.handles, last.handles);
  add("code that V8 compiled, and what it learned for it", first.compiled, last.compiled);
  add("garbage not yet collected", first.garbage, last.garbage);
  add("free space in V8's pages", first.heap_free(), last.heap_free());
  const auto both_have = [&](GaugeKind kind) { return first.has(kind) && last.has(kind); };
  if (both_have(GaugeKind::malloc_in_use)) {
    add("malloc's arenas: in use (native memory, small Buffers)",
        first.malloc_arenas() - first.malloc_free(), last.malloc_arenas() - last.malloc_free());
    add("malloc's arenas: free", first.malloc_free(), last.malloc_free());
  } else if (both_have(GaugeKind::malloc_resident)) {
    add("malloc's arenas (native memory, small Buffers)", first.malloc_arenas(),
        last.malloc_arenas());
  }
  add("files and shared memory", first.file_pages(), last.file_pages());
  const double rss_change = last.gauge(GaugeKind::rss) - first.gauge(GaugeKind::rss);
  table.row({"not explained: other mappings (large Buffers, stacks, code)", "", "",
             bytes_text(rss_change - explained),
             connections > 0 ? bytes_text((rss_change - explained) / connections) : "–"});
  cells("**RSS**", first.gauge(GaugeKind::rss), last.gauge(GaugeKind::rss));
  return fmt::format(
      "### Where the memory went\n\n{}Buffers' contents lie in malloc's arenas or in mappings of "
      "their own: {} at the baseline, {} at the end.\n\n",
      table.markdown(), bytes_text(first.external), bytes_text(last.external));
}

}  // namespace ebbtide
