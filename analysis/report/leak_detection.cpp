#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <map>
#include <unordered_map>
#include <vector>

#include "analysis/format.h"
#include "analysis/report/escape.h"
#include "analysis/report/retention_section.h"
#include "analysis/report/sections.h"
#include "analysis/report/table.h"
#include "analysis/survivors.h"
#include "analysis/thresholds.h"

namespace ebbtide {
namespace {

constexpr std::size_t stacks_shown = 5;
constexpr std::size_t frames_shown = 16;

// Rows with nothing to say are left out: gauges that were zero all the time.
bool silent(const Recording& recording, const Judgement& judgement) {
  if (judgement.decisive || judgement.evidence != Judgement::Evidence::gauge) return false;
  return std::ranges::all_of(recording.gauges, [&](const Gauge& gauge) {
    return gauge.kind != judgement.gauge || gauge.value == 0;
  });
}

// What belongs to the clock and to the cycles, whatever their dose: that for which it is told from
// nothing, this where it is more than a leak would have to be.
std::string shares_text(const ReportInput& input, const Judgement& judgement) {
  std::vector<std::string> shares;
  const auto add = [&](double amount, const char* per) {
    shares.push_back(fmt::format("{} / {}", amount_text(amount, judgement.unit), per));
  };
  const double cycles = std::max(1.0, static_cast<double>(input.assessment.cycles));
  const double dose = static_cast<double>(input.assessment.connections) / cycles;
  if (judgement.per_cycle > judgement.limit * dose) add(judgement.per_cycle, "cycle");
  if (judgement.drift_per_second != 0) add(judgement.drift_per_second, "s");
  return shares.empty() ? "–" : fmt::format("{}", fmt::join(shares, ", "));
}

std::string judgement_table(const ReportInput& input, bool decisive) {
  MarkdownTable table({{"what", Align::left},
                       {"verdict", Align::left},
                       {"per connection"},
                       {fmt::format("{:g} % interval", input.assessment.confidence * 100)},
                       {"n"},
                       {"limit"},
                       {"beside it"},
                       {"why", Align::left}});
  for (const Judgement& judgement : input.assessment.judgements) {
    if (judgement.decisive != decisive || silent(input.recording, judgement)) continue;
    const bool gauge = judgement.evidence == Judgement::Evidence::gauge;
    const bool measured = judgement.points > 1 || (!gauge && judgement.points > 0);
    const auto shown = [&](const std::string& text) { return measured ? text : "–"; };
    table.row({gauge ? judgement.subject : "surviving " + judgement.subject,
               std::string(verdict_title(judgement.verdict)),
               shown(amount_text(judgement.per_connection, judgement.unit)),
               shown(interval_text(judgement.interval, judgement.unit)),
               integer_text(judgement.points), shown(amount_text(judgement.limit, judgement.unit)),
               shares_text(input, judgement), prose(judgement.reason)});
  }
  return table.empty() ? "" : table.markdown();
}

std::string judgements_part(const ReportInput& input) {
  const std::string decisive = judgement_table(input, true);
  const std::string others = judgement_table(input, false);
  if (decisive.empty() && others.empty()) return "Nothing was measured.\n\n";
  std::string text =
      "n is the number of settle points, or of cycles for survivors, after the warm-up was set "
      "aside. The limit is the growth per connection from which on it counts as a leak. Beside it "
      "comes what belongs to the clock and to the cycles, whatever their dose.\n\n" +
      decisive;
  return others.empty() ? text : text + details("Measured, but without a say", others);
}

std::string survivors_part(const ReportInput& input) {
  std::vector<ResourceKind> kinds;
  std::map<std::uint32_t, std::map<ResourceKind, const CohortSurvivors*>> rows;
  for (const CohortSurvivors& row : input.assessment.survivors) {
    if (std::ranges::find(kinds, row.kind) == kinds.end()) kinds.push_back(row.kind);
    rows[row.cycle][row.kind] = &row;
  }
  if (rows.empty()) return "";
  std::vector<MarkdownColumn> columns = {{"born in cycle"}};
  for (const ResourceKind kind : kinds) {
    columns.push_back({kind_rule(input.recording, kind).subject});
  }
  MarkdownTable table(columns);
  for (const Cycle& cycle : input.recording.cycles) {
    std::vector<std::string> cells = {cycle_title(input.recording, cycle)};
    for (const ResourceKind kind : kinds) {
      const CohortSurvivors& row = *rows.at(cycle.number).at(kind);
      std::string cell = fmt::format("{} → {} → {}", number_text(row.births),
                                     number_text(row.survivors), number_text(row.alive_at_end));
      if (row.survivor_bytes > 0) {
        cell += fmt::format(" ({})", bytes_text(static_cast<double>(row.survivor_bytes)));
      }
      cells.push_back(std::move(cell));
    }
    table.row(std::move(cells));
  }
  return "### Survivors\n\nBorn → alive when the next cycle had settled → alive at the end.\n\n" +
         table.folded("All cycles");
}

std::string frames_text(const Stack* stack) {
  if (stack == nullptr || stack->frames.empty()) return "(stack not recorded)\n";
  std::string text;
  for (std::size_t i = 0; i < std::min(frames_shown, stack->frames.size()); ++i) {
    const Frame& frame = stack->frames[i];
    const std::string symbol =
        frame.symbol.empty() ? fmt::format("{:#x}", frame.address) : clean_text(frame.symbol);
    text +=
        symbol + (frame.module.empty() ? "" : "  [" + clean_text(frame.module, 80) + "]") + "\n";
  }
  if (stack->frames.size() > frames_shown) {
    text += fmt::format("… and {}\n", counted(stack->frames.size() - frames_shown, "more frame"));
  }
  return text;
}

std::string stacks_part(const ReportInput& input) {
  struct Kept {
    std::uint64_t stack_id = 0;
    std::uint64_t mappings = 0;
    std::uint64_t bytes = 0;
  };
  std::map<std::uint64_t, Kept> by_stack;
  for (const Resource* mapping :
       surviving_resources(input.recording, input.join, ResourceKind::mapping)) {
    Kept& kept = by_stack[mapping->stack_id];
    kept.stack_id = mapping->stack_id;
    ++kept.mappings;
    kept.bytes += mapping->size_bytes;
  }
  if (by_stack.empty()) return "";
  std::vector<Kept> ranked;
  for (const auto& [id, kept] : by_stack) ranked.push_back(kept);
  std::ranges::stable_sort(ranked, std::ranges::greater(), &Kept::bytes);
  ranked.resize(std::min(stacks_shown, ranked.size()));
  std::unordered_map<std::uint64_t, const Stack*> stack_of;
  for (const Stack& stack : input.recording.stacks) stack_of[stack.id] = &stack;

  std::string text = "### Where surviving mappings come from\n\n";
  for (const Kept& kept : ranked) {
    const auto stack = stack_of.find(kept.stack_id);
    text += fmt::format("{} in {}:\n\n{}\n", bytes_text(static_cast<double>(kept.bytes)),
                        counted(kept.mappings, "mapping"),
                        code_block(frames_text(stack == stack_of.end() ? nullptr : stack->second)));
  }
  return text;
}

}  // namespace

std::string leak_detection_section(const ReportInput& input) {
  return "## Leak Detection\n\n" + judgements_part(input) + heap_part(input) +
         retention_section(input.assessment.retention) + survivors_part(input) + stacks_part(input);
}

}  // namespace ebbtide
