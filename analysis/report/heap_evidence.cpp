#include <fmt/format.h>

#include <algorithm>
#include <map>
#include <vector>

#include "analysis/format.h"
#include "analysis/report/escape.h"
#include "analysis/report/sections.h"
#include "analysis/report/table.h"

namespace ebbtide {
namespace {

constexpr std::size_t causes_shown = 8;
constexpr std::size_t companions_shown = 4;
constexpr std::size_t growths_shown = 15;
constexpr std::size_t levels_shown = 6;

std::string position_text(const CodePosition& position) {
  if (position.script.empty()) return "–";
  std::string text = position.script;
  if (position.line > 0) text += fmt::format(":{}:{}", position.line, position.column);
  return cell_code(text, 120);
}

std::string companions_text(const HeapCause& cause) {
  std::string text;
  for (const HeapCause::Companion& companion : cause.companions) {
    if (&companion == cause.companions.data() + companions_shown) break;
    if (companion.class_name == cause.content) continue;
    text += fmt::format("{}{} ×{}", text.empty() ? "" : ", ", code_span(companion.class_name, 80),
                        count_text(companion.per_connection));
  }
  return text.empty() ? "" : " With each come " + text + ".";
}

std::string cause_item(std::size_t rank, const HeapCause& cause) {
  std::string text = fmt::format(
      "{}. {}{}\n\n   {} {} per connection, {} retained per connection; at the looks into the "
      "heap: "
      "{}.",
      rank, code_span(cause.path, 300),
      cause.isolate == "main" ? "" : " in " + prose(cause.isolate),
      count_text(cause.objects_per_connection), code_span(cause.content, 80),
      bytes_text(cause.retained_per_connection), levels_text(cause.levels, levels_shown));
  text += companions_text(cause);
  if (!cause.position.compiled.empty())
    text += " In the code that ran: " + code_span(cause.position.compiled, 120) + ".";
  if (cause.given_back) {
    text += " Most of it was given back in the cool-down.";
  } else if (!cause.bounded_by.empty()) {
    text += fmt::format(" The source keeps it below a size: {}.", code_span(cause.bounded_by, 200));
  } else if (cause.bounded) {
    text += " The growth has slowed down or stopped: a cache, a pool, a warm-up.";
  }
  if (cause.handles_only)
    text += " No JavaScript refers to it: an open handle (socket, timer, process) keeps it.";
  if (!cause.user_code) text += " The reference is in the runtime's or a package's own code.";
  return text + "\n\n";
}

std::string growths_table(const HeapFindings& heap) {
  MarkdownTable table({{"objects of", Align::left},
                       {"where it stands", Align::left},
                       {"per connection"},
                       {"shallow bytes"},
                       {"at the looks", Align::left}});
  for (const HeapGrowth& growth : heap.growths) {
    if (&growth == heap.growths.data() + growths_shown) break;
    table.row({cell_code(growth.name, 60), position_text(growth.position),
               count_text(growth.objects_per_connection), bytes_text(growth.bytes_per_connection),
               levels_text(growth.levels, levels_shown)});
  }
  if (table.empty()) return "";
  return "### Classes and closures that grow\n\n" + table.folded("By class and closure");
}

std::string looks_table(const Recording& recording) {
  MarkdownTable table({{"cycle"},
                       {"heap", Align::left},
                       {"objects"},
                       {"kept by JavaScript"},
                       {"by handles alone"},
                       {"compiled code"},
                       {"not yet collected"},
                       {"Buffers"},
                       {"heap pages"},
                       {"readable"},
                       {"target held"}});
  for (const HeapCensus& census : recording.heap_censuses) {
    const auto bytes = [](std::uint64_t value) { return bytes_text(static_cast<double>(value)); };
    table.row({number_text(census.cycle), prose(census.isolate), number_text(census.objects),
               bytes(census.reachable_bytes), bytes(census.handle_bytes),
               bytes(census.compiled_bytes), bytes(census.garbage_bytes),
               bytes(census.external_bytes), bytes(census.resident_bytes),
               fmt::format("{:.1f} %", census.walked_permille / 10.0),
               duration_text(static_cast<double>(census.pause_ns) * 1e-9)});
  }
  return "### Looks into the JavaScript heap\n\n"
         "Read from outside; the target's threads were held while its pages were copied.\n\n" +
         table.folded("All looks");
}

std::string active_resources_table(const Recording& recording) {
  std::map<std::string, std::map<std::uint32_t, std::uint64_t>> counts;
  for (const ActiveResource& row : recording.active_resources)
    counts[row.kind][row.cycle] = row.count;
  if (counts.empty() || recording.cycles.empty()) return "";
  const std::uint32_t last = recording.cycles.back().number;
  MarkdownTable table({{"keeps the event loop alive", Align::left}, {"baseline"}, {"at the end"}});
  for (const auto& [kind, by_cycle] : counts) {
    const auto at = [&](std::uint32_t cycle) {
      const auto found = by_cycle.find(cycle);
      return number_text(found == by_cycle.end() ? 0 : found->second);
    };
    table.row({cell_code(kind), at(0), at(last)});
  }
  return "### Handles and requests\n\n" + table.markdown();
}

}  // namespace

std::string cause_line(const HeapCause& cause) {
  return fmt::format("Kept by {}: {} {} per connection, {} retained", code_span(cause.path, 300),
                     count_text(cause.objects_per_connection), code_span(cause.content, 80),
                     bytes_text(cause.retained_per_connection));
}

std::string heap_part(const ReportInput& input) {
  const Recording& recording = input.recording;
  const HeapFindings& heap = input.causes.heap;
  if (recording.heap_censuses.empty()) return active_resources_table(recording);
  std::string text = "### What keeps JavaScript objects\n\n";
  if (!heap.reservation.empty()) {
    text += prose(heap.reservation) + "\n\n";
  } else if (heap.causes.empty()) {
    text += fmt::format("Nothing: no reference kept more with every connection ({} compared).\n\n",
                        counted(heap.looks, "look"));
  }
  for (std::size_t i = 0; i < std::min(causes_shown, heap.causes.size()); ++i)
    text += cause_item(i + 1, heap.causes[i]);
  return text + growths_table(heap) + ledger_part(input) + looks_table(recording) +
         active_resources_table(recording);
}

}  // namespace ebbtide
