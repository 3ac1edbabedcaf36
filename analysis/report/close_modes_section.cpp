#include "analysis/report/close_modes_section.h"

#include <fmt/format.h>

#include "analysis/format.h"
#include "analysis/report/escape.h"
#include "analysis/report/table.h"

namespace ebbtide {
namespace {

using State = ModeCell::State;

std::string cell_text(const ModeCell& cell) {
  const std::string text = prose(cell.text);
  return cell.state == State::bad ? "**" + text + "**" : text;
}

}  // namespace

std::string close_modes_section(const CloseModes& modes) {
  if (!modes.several()) return "";
  MarkdownTable table({{"a connection …", Align::left},
                       {"cycles"},
                       {"connections"},
                       {"sockets", Align::left},
                       {"fds", Align::left},
                       {"memory", Align::left},
                       {"event loop", Align::left},
                       {"process", Align::left}});
  std::string remarks;
  for (const ModeOutcome& outcome : modes.outcomes) {
    table.row(
        {fmt::format("{} (`{}`)", ending_phrase(outcome.mode), close_mode_title(outcome.mode)),
         integer_text(outcome.cycles), integer_text(static_cast<std::int64_t>(outcome.connections)),
         cell_text(outcome.sockets), cell_text(outcome.fds), cell_text(outcome.memory),
         cell_text(outcome.event_loop), cell_text(outcome.process)});
    for (const std::string& text : {outcome.finding, outcome.remark}) {
      if (!text.empty())
        remarks += fmt::format("- `{}`: {}.\n", close_mode_title(outcome.mode), prose(text));
    }
  }
  if (modes.deadly)
    remarks += fmt::format("- `{}`: {}.\n", close_mode_title(*modes.deadly), prose(modes.death));
  return "## Ways a connection ends\n\n" + table.markdown() + remarks +
         (remarks.empty() ? "" : "\n") +
         "Counts are per connection. The first row is the main experiment; every other way had a "
         "short pass of its own, which sees what each connection leaves behind, but not little "
         "memory. – was not measured.\n\n";
}

std::string close_modes_lines(const CloseModes& modes) {
  std::string text;
  for (std::size_t i = 1; i < modes.outcomes.size(); ++i) {
    const ModeOutcome& outcome = modes.outcomes[i];
    std::string wrong;
    for (const auto& [name, cell] :
         {std::pair("sockets", &outcome.sockets), std::pair("fds", &outcome.fds),
          std::pair("memory", &outcome.memory), std::pair("event loop", &outcome.event_loop),
          std::pair("process", &outcome.process)}) {
      if (cell->state != State::bad) continue;
      wrong +=
          fmt::format("{}{}: {}", wrong.empty() ? "" : ", ", name, clean_text(cell->text, 100));
    }
    if (!wrong.empty())
      text += fmt::format("Ends    {}: {}\n", close_mode_title(outcome.mode), wrong);
  }
  return text;
}

}  // namespace ebbtide
