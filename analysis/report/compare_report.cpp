#include "analysis/report/compare_report.h"

#include <fmt/format.h>

#include <algorithm>

#include "analysis/format.h"
#include "analysis/report/escape.h"
#include "analysis/report/table.h"
#include "recording/names.h"

namespace ebbtide {
namespace {

constexpr std::size_t causes_on_a_terminal = 8;

std::string value_text(const std::optional<Estimate>& estimate, Measure measure) {
  return estimate ? measure_text(estimate->value, measure) : "–";
}

std::string change_text(const PairedFigure& figure) {
  if (!figure.difference) return "–";
  return difference_text(figure.after->value - figure.before->value, figure.measure);
}

std::string interval_of_difference(const PairedFigure& figure) {
  if (!figure.difference) return "–";
  const bool known = figure.before->interval || figure.after->interval;
  return known ? difference_text(*figure.difference, figure.measure) : "no interval";
}

std::string retained_text(const std::optional<double>& bytes) {
  return bytes ? bytes_text(*bytes) : "–";
}

std::string figures_part(const Comparison& comparison) {
  if (comparison.figures.empty()) return "";
  MarkdownTable table({{"figure", Align::left},
                       {"before"},
                       {"after"},
                       {"difference"},
                       {"95 % interval"},
                       {"verdict", Align::left},
                       {"has a say", Align::left},
                       {"remark", Align::left}});
  for (const PairedFigure& figure : comparison.figures) {
    table.row({prose(figure.subject), value_text(figure.before, figure.measure),
               value_text(figure.after, figure.measure), change_text(figure),
               interval_of_difference(figure), std::string(change_name(figure.change)),
               figure.decisive ? "yes" : "no", prose(figure.reason)});
  }
  const bool leak = comparison.kind == RunKind::leak;
  return std::string("### Figures\n\n") + (leak ? "What each connection leaves behind.\n\n" : "") +
         table.markdown();
}

std::string causes_part(const Comparison& comparison) {
  if (comparison.kind != RunKind::leak) return "";
  std::string text = "### Causes\n\n";
  if (comparison.causes.empty()) return text + "None was found in either run.\n\n";
  MarkdownTable table({{"cause", Align::left},
                       {"evidence", Align::left},
                       {"objects per connection before"},
                       {"after"},
                       {"95 % interval of the difference"},
                       {"kept per connection before"},
                       {"after"},
                       {"verdict", Align::left},
                       {"remark", Align::left}});
  for (const ComparedCause& cause : comparison.causes) {
    const bool heap = cause.evidence == ComparedCause::Evidence::heap;
    table.row({cell_code(cause.subject, 200), heap ? "heap" : "source",
               value_text(cause.objects.before, Measure::count),
               value_text(cause.objects.after, Measure::count),
               interval_of_difference(cause.objects), retained_text(cause.before),
               retained_text(cause.after), std::string(change_name(cause.change)),
               prose(cause.reason)});
  }
  return text + table.markdown();
}

std::string differences_part(const Comparison& comparison) {
  std::string text = "### The runs differ in\n\n";
  if (comparison.differences.empty()) return text + "Nothing that was recorded.\n\n";
  MarkdownTable table({{"what", Align::left}, {"before", Align::left}, {"after", Align::left}});
  for (const RunDifference& row : comparison.differences) {
    table.row({row.what, cell_code(row.before, 120), cell_code(row.after, 120)});
  }
  return text + table.markdown();
}

std::string pair_section(const ComparedPair& pair) {
  const Comparison& comparison = pair.comparison;
  std::string text = fmt::format("## {}: {} and {}\n\n", name_of(comparison.kind),
                                 code_span(pair.before), code_span(pair.after));
  text += "**" + prose(comparison.sentence) + "**\n\n";
  if (!comparison.before.empty()) text += "- Before: " + prose(comparison.before) + "\n";
  if (!comparison.after.empty()) text += "- After: " + prose(comparison.after) + "\n";
  if (!comparison.before.empty() || !comparison.after.empty()) text += "\n";
  return text + figures_part(comparison) + causes_part(comparison) + differences_part(comparison);
}

// "  fixed           V8 heap used: 67.1 KB → 12 B (−67.4 KB to −66.6 KB)"
std::string figure_line(const PairedFigure& figure) {
  std::string line = fmt::format("  {:<15} {}: {} → {}", change_name(figure.change), figure.subject,
                                 value_text(figure.before, figure.measure),
                                 value_text(figure.after, figure.measure));
  const std::string interval = interval_of_difference(figure);
  if (interval != "–") line += " (" + interval + ")";
  if (figure.change == Change::not_comparable) line += "; " + figure.reason;
  return clean_text(line, 300) + "\n";
}

std::string cause_line(const ComparedCause& cause) {
  std::string line =
      fmt::format("  {:<15} {}", change_name(cause.change), clean_text(cause.subject, 200));
  if (cause.objects.difference) {
    line += fmt::format(
        ": {} → {} objects per connection ({})", value_text(cause.objects.before, Measure::count),
        value_text(cause.objects.after, Measure::count), interval_of_difference(cause.objects));
  }
  return line + "\n";
}

std::string pair_text(const ComparedPair& pair) {
  const Comparison& comparison = pair.comparison;
  std::string text = clean_text(comparison.sentence, 2000) + "\n";
  std::string rows;
  for (const PairedFigure& figure : comparison.figures) {
    if (figure.decisive) rows += figure_line(figure);
  }
  std::size_t causes = 0;
  for (const ComparedCause& cause : comparison.causes) {
    if (cause.change != Change::same && ++causes <= causes_on_a_terminal) rows += cause_line(cause);
  }
  if (causes > causes_on_a_terminal)
    rows += fmt::format("  and {}\n", counted(causes - causes_on_a_terminal, "further cause"));
  if (!rows.empty()) text += "\n" + rows;
  if (comparison.differences.empty()) return text;
  text += "\n  The runs differ in\n";
  for (const RunDifference& row : comparison.differences) {
    text += fmt::format("  {:<15} {} → {}\n", row.what, clean_text(row.before, 100),
                        clean_text(row.after, 100));
  }
  return text;
}

}  // namespace

std::string compare_report(const CompareResult& result) {
  std::string text = "# Comparison of two runs\n\n";
  for (const std::string& left_out : result.left_out) {
    text += "- Not compared: " + prose(left_out) + ".\n";
  }
  if (!result.left_out.empty()) text += "\n";
  for (const ComparedPair& pair : result.pairs) text += pair_section(pair);
  return text + "1 KB is 1,024 bytes. A verdict has a say in the answer where its row says so.\n";
}

std::string compare_text(const CompareResult& result) {
  std::string text;
  for (const ComparedPair& pair : result.pairs) {
    text += (text.empty() ? "" : "\n") + pair_text(pair);
  }
  for (const std::string& left_out : result.left_out) {
    text += clean_text("Not compared: " + left_out) + "\n";
  }
  return text;
}

}  // namespace ebbtide
