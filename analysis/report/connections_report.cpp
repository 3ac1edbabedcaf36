#include "analysis/report/connections_report.h"

#include <fmt/format.h>

#include <algorithm>

#include "analysis/format.h"
#include "analysis/load/levels_answer.h"
#include "analysis/report/conditions.h"
#include "analysis/report/escape.h"
#include "analysis/report/load_advice.h"
#include "analysis/report/load_sections.h"
#include "analysis/report/table.h"

namespace ebbtide {
namespace {

constexpr std::size_t failures_shown = 5;  // per level
constexpr std::size_t summary_levels = 9;

std::string level_title(const LevelReport& level) {
  return number_text(level.attempted) + (level.finished ? "" : " (cut off)");
}

std::string run_line(const LevelsAssessment& assessment, const Recording& recording) {
  const auto finished = std::ranges::count(assessment.levels, true, &LevelReport::finished);
  std::string line = counted(static_cast<std::uint64_t>(finished), "level") + " finished against " +
                     code_span(recording.run.url);
  if (recording.end.reason != EndReason::completed) {
    line += "; the run " + prose(how_it_ended(recording));
  }
  return line + ".";
}

std::string levels_table(const LevelsAssessment& assessment) {
  MarkdownTable table({{"connections"},
                       {"established"},
                       {"failed"},
                       {"up at the end"},
                       {"time to establish"},
                       {"per second"},
                       {"messages in / s"},
                       {"out / s"}});
  for (const LevelReport& level : assessment.levels) {
    std::uint64_t failed = 0;
    for (const FailureReason& reason : level.failures) failed += reason.count;
    std::optional<double> rate;
    if (level.establish_seconds) {
      rate = static_cast<double>(level.established) / *level.establish_seconds;
    }
    table.row({level_title(level), number_text(level.established), number_text(failed),
               number_text(level.open),
               level.establish_seconds ? duration_text(*level.establish_seconds) : "–",
               rate_text(rate), rate_text(level.received_per_second),
               rate_text(level.sent_per_second)});
  }
  return "## Connection Levels\n\n"
         "Time to establish runs from the first connect() to the last connection established. "
         "Messages are counted at the clients while all connections are held: in is from the "
         "server.\n\n" +
         table.markdown();
}

std::string failures_part(const LevelsAssessment& assessment) {
  MarkdownTable table({{"level"}, {"failed", Align::left}, {"connections"}});
  for (const LevelReport& level : assessment.levels) {
    for (std::size_t i = 0; i < std::min(failures_shown, level.failures.size()); ++i) {
      table.row({level_title(level), failure_cell(level.failures[i]),
                 number_text(level.failures[i].count)});
    }
    if (level.failures.size() <= failures_shown) continue;
    table.row({level_title(level),
               counted(level.failures.size() - failures_shown, "further kind") + " of failure"});
  }
  return table.empty() ? "" : "### Failures\n\n" + table.folded("All levels");
}

std::string latencies_part(const LevelsAssessment& assessment) {
  std::vector<MarkdownColumn> columns = {{"step", Align::left}, {"level"}};
  for (const MarkdownColumn& column : latency_columns()) columns.push_back(column);
  MarkdownTable table(columns);
  const auto add = [&](const std::string& step, const Latencies LevelReport::*member) {
    for (const LevelReport& level : assessment.levels) {
      if ((level.*member).count == 0) continue;
      std::vector<std::string> cells = {step, level_title(level)};
      for (std::string& cell : latency_cells(level.*member)) cells.push_back(std::move(cell));
      table.row(std::move(cells));
    }
  };
  add("TCP connect", &LevelReport::connect);
  add("TLS", &LevelReport::secure);
  add("upgrade", &LevelReport::upgrade);
  add("first answer", &LevelReport::answer);
  add("to established", &LevelReport::whole);
  if (table.empty()) return "";
  const bool scheduled = std::ranges::any_of(assessment.levels, &LevelReport::scheduled);
  return std::string(
             "### Latencies\n\nEach step counts from the end of the one before it, of the "
             "connections that got so far; quantiles are exact. ") +
         (scheduled
              ? "The first step and the whole count from when the connection was to start, so "
                "that a stalled server is not forgiven.\n\n"
              : "There was no schedule: a connection starts when another is done, so a "
                "stalled server delays starts that no latency shows.\n\n") +
         table.folded("All steps and levels");
}

std::string backlog_part(const LevelsAssessment& assessment) {
  MarkdownTable table({{"level"},
                       {"accept queue overflows"},
                       {"SYNs dropped"},
                       {"connects near 1 s"},
                       {"near 3 s"}});
  for (const LevelReport& level : assessment.levels) {
    table.row({level_title(level), optional_count(level.overflows), optional_count(level.drops),
               number_text(level.near_1s), number_text(level.near_3s)});
  }
  return "### Accept queue\n\nOverflows and drops are those of the whole network namespace. A "
         "connect "
         "near 1 s or 3 s lost its SYN and was sent again.\n\n" +
         table.markdown();
}

// "57.7 MB (+5.8 MB, 98 % back)".
std::string use_cell(const LevelOfUse& use) {
  if (!use.held) return "–";
  const auto text = [&](double amount) {
    return use.unit == Unit::count ? integer_text(static_cast<std::int64_t>(amount))
                                   : bytes_text(amount);
  };
  const auto growth = use.growth();
  if (!growth) return text(*use.held);
  const auto returned = use.returned();
  return fmt::format("{} ({}{}{})", text(*use.held), *growth > 0 ? "+" : "", text(*growth),
                     returned ? fmt::format(", {:.0f} % back", *returned * 100) : "");
}

std::string memory_part(const LevelsAssessment& assessment) {
  std::vector<std::string> subjects;
  for (const LevelReport& level : assessment.levels) {
    for (const LevelOfUse& use : level.uses) {
      if (std::ranges::find(subjects, use.subject) == subjects.end()) {
        subjects.push_back(use.subject);
      }
    }
  }
  if (subjects.empty()) return "### Memory and descriptors while held\n\nNot measured.\n\n";
  std::vector<MarkdownColumn> columns = {{"level"}};
  for (const std::string& subject : subjects) columns.push_back({subject});
  MarkdownTable table(columns);
  for (const LevelReport& level : assessment.levels) {
    std::vector<std::string> cells = {level_title(level)};
    for (const std::string& subject : subjects) {
      const auto use = std::ranges::find(level.uses, subject, &LevelOfUse::subject);
      cells.push_back(use == level.uses.end() ? "–" : use_cell(*use));
    }
    table.row(std::move(cells));
  }
  const auto heap = std::ranges::find(subjects, "V8 heap reachable");
  return std::string(
             "### Memory and descriptors while held\n\nAt the end of the hold; in brackets the "
             "growth over the settled level before, and how much of it came back after the close. "
             "Memory that an allocator kept from a level before is used again and is no growth. "
             "Socket queues are the kernel's and not part of RSS.") +
         (heap == subjects.end() ? " The JavaScript heap was not read." : "") + "\n\n" +
         table.markdown();
}

std::string costs_part(const LevelsAssessment& assessment) {
  MarkdownTable table({{"memory", Align::left},
                       {"per open connection"},
                       {fmt::format("{:.0f} % interval", assessment.confidence * 100)},
                       {"levels"},
                       {"fixed"},
                       {"largest level / its connections"}});
  for (const ConnectionCost& cost : assessment.costs) {
    if (!cost.at_largest) continue;
    const bool known = cost.per_connection.has_value();
    table.row({cost.subject, known ? bytes_text(*cost.per_connection) : "not enough levels",
               known ? interval_text(cost.interval, Unit::bytes) : "–", number_text(cost.levels),
               known ? bytes_text(cost.fixed) : "–", bytes_text(*cost.at_largest)});
  }
  if (table.empty()) return "";
  std::string text =
      "### Cost of one open connection\n\nThe slope of the growth while held on the connections "
      "open, over the levels (docs/method.md). What the first connections bring whatever their "
      "number is the fixed part; dividing one level by its connections, as in the last column, "
      "shares it among them.\n\n" +
      table.markdown();
  if (!assessment.extrapolation.empty()) text += assessment.extrapolation + "\n\n";
  return text;
}

std::string server_part(const LevelsAssessment& assessment, const Recording& recording) {
  MarkdownTable table(phase_columns("level"));
  MarkdownTable opened({{"level"}, {"CPU user per open"}, {"CPU system per open"}, {"tool's CPU"}});
  for (const LevelReport& level : assessment.levels) {
    add_phases(table, level_title(level), level.cpu, level.loops);
    const CpuUse* cpu = use_in(level.cpu, Phase::open);
    const auto connections = static_cast<double>(level.established);
    const bool known = cpu != nullptr && level.established > 0;
    if (!known && !level.driver_share) continue;
    opened.row({level_title(level), known ? duration_text(cpu->user_seconds / connections) : "–",
                known ? duration_text(cpu->system_seconds / connections) : "–",
                optional_share(level.driver_share)});
  }
  if (table.empty() && opened.empty()) return "### Server CPU and event loop\n\nNot measured.\n\n";
  std::string text = "### Server CPU and event loop\n\n" + phases_note(recording);
  if (!table.empty()) text += table.folded("All levels and phases");
  return opened.empty() ? text : text + opened.markdown();
}

std::string limit_section(const LevelsAssessment& assessment) {
  std::string text = "## Limit\n\n";
  const Limit& limit = assessment.limit;
  if (assessment.levels.empty()) return text + "No level began.\n\n";
  if (limit.cause == LimitCause::none) {
    return text + fmt::format("Not reached at {}.\n\n", counted(assessment.held, "connection"));
  }
  const bool own = limit.cause == LimitCause::own_limit;
  return text + fmt::format("{} at the level of {}: {}.\n\n",
                            own ? "The tool's own limit, not the server's," : "Reached",
                            number_text(assessment.levels[limit.level].attempted),
                            prose(limit.reason));
}

std::string summary_line(const LevelReport& level) {
  std::string line = fmt::format(
      "  {} of {} in {}", number_text(level.established), counted(level.attempted, "connection"),
      level.establish_seconds ? duration_text(*level.establish_seconds) : "no time");
  if (level.whole.count > 0) {
    line += fmt::format("; to established p50 {}, p99 {}", duration_text(level.whole.p50),
                        duration_text(level.whole.p99));
  }
  const auto rss = std::ranges::find(level.uses, "RSS", &LevelOfUse::subject);
  if (rss != level.uses.end() && rss->growth()) {
    line += "; RSS " + std::string(*rss->growth() > 0 ? "+" : "") + bytes_text(*rss->growth());
  }
  if (const LoopUse* loop = use_in(level.loops, Phase::open)) {
    line += fmt::format("; loop {:.0f} % busy", loop->busy_share * 100);
  }
  return line + (level.finished ? "\n" : "; cut off\n");
}

}  // namespace

std::string connections_report(const LevelsAssessment& assessment, const Recording& recording) {
  return report_head("WebSocket Profile", recording, assessment.sentence,
                     {run_line(assessment, recording), assessment.extrapolation}) +
         limit_section(assessment) + levels_table(assessment) + failures_part(assessment) +
         latencies_part(assessment) + backlog_part(assessment) + memory_part(assessment) +
         costs_part(assessment) + server_part(assessment, recording) +
         advice_section(connections_advice(assessment),
                        "Nothing degraded up to the largest level; test with more connections "
                        "(`--levels`) to find the limit.") +
         conditions_section(recording);
}

std::string connections_summary_text(const LevelsAssessment& assessment, const Recording&) {
  std::string text = clean_text(assessment.sentence, 1000) + "\n";
  const std::size_t count = assessment.levels.size();
  for (std::size_t i = 0; i < count; ++i) {
    const bool shown =
        count <= summary_levels || i < summary_levels / 2 || i + summary_levels / 2 >= count;
    if (shown) text += summary_line(assessment.levels[i]);
    if (!shown && i == summary_levels / 2) text += "  …\n";
  }
  if (!assessment.extrapolation.empty()) text += assessment.extrapolation + "\n";
  return text;
}

}  // namespace ebbtide
