#include "analysis/report/conditions.h"

#include <fmt/format.h>

#include <algorithm>
#include <chrono>

#include "analysis/endings/close_modes.h"
#include "analysis/endings/passes.h"
#include "analysis/format.h"
#include "analysis/report/escape.h"
#include "analysis/report/table.h"

namespace ebbtide {
namespace {

std::string utc_text(std::int64_t unix_s) {
  using namespace std::chrono;
  // What a damaged file may say is not a date that the calendar can compute with.
  constexpr std::int64_t year_9999 = 253'402'300'799;
  const sys_seconds time{seconds{std::clamp<std::int64_t>(unix_s, 0, year_9999)}};
  const auto day = floor<days>(time);
  const year_month_day date{day};
  const hh_mm_ss clock{time - day};
  return fmt::format("{:04}-{:02}-{:02} {:02}:{:02}:{:02} UTC", static_cast<int>(date.year()),
                     static_cast<unsigned>(date.month()), static_cast<unsigned>(date.day()),
                     clock.hours().count(), clock.minutes().count(), clock.seconds().count());
}

std::string target_text(const RunInfo& run) {
  std::string text = fmt::format("{}, pid {}", cell_code(run.cmdline, 200), run.pid);
  if (!run.runtime.empty()) text += ", " + prose(run.runtime + " " + run.runtime_version);
  return text;
}

// "10 cycles of 100 connections on average", "levels of 10, 50 and 100 connections".
std::string doses_text(const Recording& recording) {
  const PlanInfo& plan = recording.run.plan;
  if (recording.run.kind == RunKind::broadcast) return counted(plan.connections, "subscriber");
  if (recording.run.kind == RunKind::leak) {
    return fmt::format("{} of {} on average", counted(plan.cycles, "cycle"),
                       counted(plan.connections, "connection"));
  }
  std::string doses;
  for (const Cycle& cycle : recording.cycles) {
    doses += (doses.empty() ? "" : ", ") + number_text(cycle.dose);
  }
  if (doses.empty()) return counted(plan.cycles, "level") + " planned, none finished";
  return fmt::format("{} of {} finished, of {} connections", recording.cycles.size(),
                     counted(plan.cycles, "level"), doses);
}

std::string plan_text(const Recording& recording) {
  const PlanInfo& plan = recording.run.plan;
  std::string text = fmt::format(
      "{}, {} opening at once, held {}, timeout {} ms, settle cap {} ms", doses_text(recording),
      plan.window == 0 ? "all" : fmt::format("at most {}", plan.window),
      recording.run.kind == RunKind::broadcast ? "while the triggers ran"
                                               : fmt::format("for {} ms", plan.hold_ms),
      plan.timeout_ms, plan.settle_cap_ms);
  for (const std::string& step : plan.steps) text += "; " + cell_code(step, 120);
  return text;
}

const char* cycle_noun(const Recording& recording) {
  return recording.run.kind == RunKind::connections ? "level" : "cycle";
}

std::string caps_text(const Recording& recording) {
  std::uint64_t caps = 0;
  std::uint64_t left = 0;
  for (const PhaseSpan& span : recording.phases) {
    if (span.phase != Phase::settle) continue;
    caps += span.hit_cap;
    left += span.hit_cap ? span.sockets_left : 0;
  }
  if (caps == 0) return fmt::format("every {} settled before the cap", cycle_noun(recording));
  return fmt::format("{} hit the cap, with {} left over in all", counted(caps, "settle"),
                     counted(left, "socket"));
}

std::string losses_text(const Recording& recording) {
  std::string text;
  for (const Loss& loss : recording.losses) {
    text += fmt::format("{}{}: {}", text.empty() ? "" : "; ", prose(loss.name),
                        integer_text(static_cast<std::int64_t>(loss.count)));
  }
  return text.empty() ? "none counted, because no tracer ran" : text;
}

// " after 12.3 s, in cycle 9 (--close rst), which is not counted".
std::string where_it_ended(const Recording& recording) {
  std::string text;
  if (recording.end.end_ns > recording.run.start_ns)
    text = fmt::format(" after {}", span_text(recording.run.start_ns, recording.end.end_ns));
  const auto where = cut_off(recording);
  if (!where) return text;
  text += fmt::format("{} {} {} {}", text.empty() ? "" : ",", where->finished ? "behind" : "in",
                      cycle_noun(recording), where->cycle);
  if (where->pass) text += fmt::format(" (--close {})", close_mode_title(*where->pass));
  return where->finished ? text : text + ", which is not counted";
}

std::string tiers_part(const Recording& recording) {
  if (recording.tiers.empty()) return "";
  MarkdownTable table(
      {{"evidence", Align::left}, {"on", Align::left}, {"what it gave, or why not", Align::left}});
  for (const Tier& tier : recording.tiers) {
    table.row({prose(tier.name), tier.on ? "yes" : "no", prose(tier.detail)});
  }
  return table.markdown();
}

std::string notes_part(const Recording& recording) {
  if (recording.notes.empty()) return "";
  std::string text = "Remarks made during the run:\n\n";
  for (const Note& note : recording.notes) {
    text += fmt::format("- {} {}: {}\n", cycle_noun(recording), note.cycle, prose(note.text));
  }
  return text + "\n";
}

}  // namespace

std::string how_it_ended(const Recording& recording) {
  const std::string detail = recording.end.detail.empty() ? "" : " (" + recording.end.detail + ")";
  const std::string how = detail + where_it_ended(recording);
  switch (recording.end.reason) {
    case EndReason::completed:
      return "completed";
    case EndReason::interrupted:
      return "was interrupted" + how;
    case EndReason::target_exited:
      return "ended because the target exited" + how;
    case EndReason::target_killed:
      return "ended because the target was killed" + how;
    case EndReason::target_oom_killed:
      return "ended because the target was killed for lack of memory" + how;
    case EndReason::target_exec:
      return "ended because the target replaced itself by another program" + how;
    case EndReason::failed:
      return "failed" + how;
    case EndReason::unknown:
      break;
  }
  return "has no recorded end: the tool itself was killed" + how;
}

std::string losses_line(const Recording& recording) {
  std::string lost;
  for (const Loss& loss : recording.losses) {
    if (loss.count == 0) continue;
    lost += fmt::format("{}{}: {}", lost.empty() ? "" : ", ", prose(loss.name),
                        integer_text(static_cast<std::int64_t>(loss.count)));
  }
  return lost.empty() ? "" : "- Not everything was observed: " + lost + ".\n";
}

std::string conditions_section(const Recording& recording) {
  const RunInfo& run = recording.run;
  MarkdownTable table({{"condition", Align::left}, {"in this run", Align::left}});
  table.row({"started", utc_text(run.started_unix_s)});
  table.row({"ended", "the run " + prose(how_it_ended(recording))});
  table.row({"target", target_text(run)});
  table.row({"machine", prose(fmt::format("Linux {}, {}, {}", run.kernel, run.machine,
                                          counted(run.cpus, "CPU")))});
  table.row({"plan", plan_text(recording)});
  table.row({"settling", caps_text(recording)});
  table.row({"losses", losses_text(recording)});
  table.row({"tool", prose("ebbtide " + run.tool_version)});
  table.row({"units", "1 KB is 1,024 bytes, 1 MB is 1,024 KB"});
  return "## Conditions\n\n" + table.markdown() + tiers_part(recording) + notes_part(recording) +
         "## How to reproduce\n\n" + code_block(run.command_line, "sh") +
         "\nThis report again, from the recording alone: `ebbtide report FILE`.\n";
}

}  // namespace ebbtide
