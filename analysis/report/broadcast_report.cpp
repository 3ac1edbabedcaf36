#include "analysis/report/broadcast_report.h"

#include <fmt/format.h>

#include <algorithm>

#include "analysis/format.h"
#include "analysis/report/conditions.h"
#include "analysis/report/escape.h"
#include "analysis/report/load_advice.h"
#include "analysis/report/load_sections.h"
#include "analysis/report/table.h"

namespace ebbtide {
namespace {

constexpr std::size_t failures_shown = 10;
constexpr std::size_t stalls_shown = 5;
constexpr std::size_t peers_shown = 10;

std::string share_of(std::uint64_t count, std::uint64_t whole) {
  if (whole == 0) return "–";
  return fmt::format("{:.2f} %", static_cast<double>(count) * 100 / static_cast<double>(whole));
}

std::string run_line(const BroadcastAssessment& assessment, const Recording& recording) {
  std::string line =
      fmt::format("{} of {} subscribed at {}, {}", number_text(assessment.subscribers),
                  counted(assessment.attempted, "client"), code_span(recording.run.url),
                  counted(assessment.deliveries.triggers, "trigger"));
  if (assessment.slow) {
    line += fmt::format(", {}", counted(assessment.slow->clients, "client") + " not reading");
  }
  if (recording.end.reason != EndReason::completed) {
    line += "; the run " + prose(how_it_ended(recording));
  }
  return line + ".";
}

std::string throughput_line(const BroadcastAssessment& assessment) {
  if (!assessment.triggers_per_second) return "";
  std::string line = fmt::format("Sustained: {} triggers per second answered well",
                                 rate_text(assessment.triggers_per_second));
  if (assessment.deliveries_per_second) {
    line += fmt::format(", {} deliveries per second", rate_text(assessment.deliveries_per_second));
  }
  return line + ".";
}

std::string failures_table(const std::string& whose, const std::vector<FailureReason>& failures) {
  if (failures.empty()) return "";
  MarkdownTable table({{whose + " that failed", Align::left}, {"count"}});
  for (std::size_t i = 0; i < std::min(failures_shown, failures.size()); ++i) {
    table.row({failure_cell(failures[i]), number_text(failures[i].count)});
  }
  std::string text = table.markdown();
  if (failures.size() > failures_shown) {
    text += fmt::format("And {}.\n\n",
                        counted(failures.size() - failures_shown, "further kind of failure"));
  }
  return text;
}

std::string unmatched_part(const BroadcastAssessment& assessment) {
  if (assessment.unmatched == 0) return "";
  std::string text =
      fmt::format("{} carried no token of ours", counted(assessment.unmatched, "further message"));
  if (!assessment.deliveries.tokens_seen) {
    text +=
        ": either the broadcast does not repeat what the trigger said, or `{token}` stands "
        "where the server drops it";
  }
  return text + ". The first of them:\n\n" + code_block(assessment.unmatched_sample) + "\n";
}

std::string deliveries_section(const BroadcastAssessment& assessment) {
  const DeliveryCounts& counts = assessment.deliveries;
  MarkdownTable table({{"deliveries", Align::left}, {"messages"}, {"share"}});
  const auto add = [&](const std::string& what, std::uint64_t count) {
    table.row({what, number_text(count), share_of(count, counts.expected)});
  };
  add("expected", counts.expected);
  add("delivered", counts.delivered);
  if (counts.tokens_seen) {
    add("lost", counts.lost);
  } else {
    table.row({"lost", "not known", "–"});
  }
  add("further copies", counts.copies);
  add("out of order", counts.reordered);
  if (counts.unexpected > 0) add("although the trigger failed", counts.unexpected);
  return "## Deliveries\n\nExpected is one message for each subscriber that reads and each trigger "
         "that succeeded; what came is told apart by the trigger's token. A message is out of "
         "order "
         "when it came after a later trigger's.\n\n" +
         table.markdown() +
         fmt::format("{} of {} succeeded.\n\n", number_text(counts.well),
                     counted(counts.triggers, "trigger")) +
         failures_table("triggers", assessment.trigger_failures) +
         failures_table("clients", assessment.client_failures) + unmatched_part(assessment);
}

std::string latency_section(const BroadcastAssessment& assessment) {
  std::vector<MarkdownColumn> columns = {{"latency", Align::left}};
  for (const MarkdownColumn& column : latency_columns()) columns.push_back(column);
  MarkdownTable table(columns);
  const auto add = [&](const std::string& what, const Latencies& latencies) {
    if (latencies.count == 0) return;
    std::vector<std::string> cells = {what};
    for (std::string& cell : latency_cells(latencies)) cells.push_back(std::move(cell));
    table.row(std::move(cells));
  };
  add("trigger sent → at the client", assessment.delivery);
  add("trigger answered → at the client", assessment.after_answer);
  add("trigger sent → at the first client", assessment.first);
  add("first → last client", assessment.spread);
  add("trigger sent → answered", assessment.answer);
  add("trigger due → sent", assessment.lag);
  add("at the client → read by the tool", assessment.reading);
  if (table.empty()) return "## Latency\n\nNothing was delivered or answered.\n\n";
  std::string text =
      "## Latency\n\nReceipt is the kernel's time stamp; the tool's own lag in reading is shown "
      "apart. Latencies of messages are kept in buckets: each quantile is at most 1/128 too large. "
      "The others are exact. From \"answered\" count only messages that came later than the "
      "answer.\n\n" +
      table.markdown();
  if (assessment.before_answer_share) {
    text += fmt::format(
        "{:.0f} % of the delivery latency, over all messages, passes before the "
        "trigger is answered.\n\n",
        *assessment.before_answer_share * 100);
  }
  return text;
}

std::string upstreams_part(const BroadcastAssessment& assessment, const Recording& recording) {
  if (assessment.upstreams.empty()) {
    const bool traced = !recording.loop_activities.empty() || !recording.upstream_waits.empty();
    return traced ? "The server was not seen waiting for any other server.\n\n"
                  : "What the server waits for on its own connections was not measured: that needs "
                    "eBPF.\n\n";
  }
  MarkdownTable table({{"peer", Align::left},
                       {"answers"},
                       {"mean wait"},
                       {"longest"},
                       {"share of trigger time"},
                       {"waits at a time"},
                       {"connections"}});
  for (std::size_t i = 0; i < std::min(peers_shown, assessment.upstreams.size()); ++i) {
    const UpstreamUse& peer = assessment.upstreams[i];
    table.row({cell_code(fmt::format("{} port {}", peer.address, peer.port)),
               number_text(peer.answers), duration_text(peer.mean_seconds),
               duration_text(peer.longest_seconds), optional_share(peer.trigger_share),
               count_text(peer.outstanding),
               peer.connections == 0 ? "–" : number_text(peer.connections)});
  }
  return "A wait runs from the last bytes that the server sent to the first that answered. Its "
         "share "
         "is of the time that triggers took, both summed; waits side by side can exceed 100 "
         "%.\n\n" +
         table.markdown();
}

std::string waits_section(const BroadcastAssessment& assessment, const Recording& recording) {
  return "## What the Broadcast Waits For\n\n" + prose(assessment.waits_for) + ".\n\n" +
         upstreams_part(assessment, recording);
}

std::string stalls_part(const BroadcastAssessment& assessment, const Recording& recording) {
  if (assessment.stalls.empty()) return "";
  MarkdownTable table({{"long turns during the triggers"}, {"at"}, {"thread"}});
  const std::uint64_t start_ns = start_of_cycle(recording, assessment.stalls.front().cycle);
  for (std::size_t i = 0; i < std::min(stalls_shown, assessment.stalls.size()); ++i) {
    const LoopStall& stall = assessment.stalls[i];
    table.row({duration_text(static_cast<double>(stall.duration_ns) * 1e-9),
               span_text(start_ns, stall.start_ns), fmt::format("{}", stall.tid)});
  }
  std::string text = table.markdown();
  if (assessment.stalls.size() > stalls_shown) {
    text += fmt::format("And {}, shorter ones.\n\n",
                        counted(assessment.stalls.size() - stalls_shown, "further turn"));
  }
  return text;
}

std::string memory_part(const BroadcastAssessment& assessment) {
  if (assessment.uses.empty()) return "### Memory\n\nNot measured.\n\n";
  MarkdownTable table({{"level", Align::left},
                       {"before the clients"},
                       {"before the triggers"},
                       {"after the last message"},
                       {"after the close"}});
  for (const LevelOfUse& use : assessment.uses) {
    const auto cell = [&](const std::optional<double>& value) {
      if (!value) return std::string("–");
      return use.unit == Unit::count ? integer_text(static_cast<std::int64_t>(*value))
                                     : bytes_text(*value);
    };
    table.row({use.subject, cell(use.floor), cell(use.opened), cell(use.held), cell(use.settled)});
  }
  std::string text = "### Memory\n\n" + table.markdown();
  if (assessment.rss_peak) {
    text += "RSS at its highest during the triggers: " + bytes_text(*assessment.rss_peak) + ".\n\n";
  }
  if (assessment.send_queue_growth) {
    text += fmt::format(
        "Send queues in the kernel after the last message, over before the "
        "triggers: {}.\n\n",
        bytes_text(*assessment.send_queue_growth));
  }
  return text;
}

std::string slow_part(const BroadcastAssessment& assessment) {
  if (!assessment.slow) return "";
  const SlowReaders& slow = *assessment.slow;
  std::string text =
      "### Slow readers\n\n" + counted(slow.clients, "client") + " stopped reading. ";
  if (!slow.process_growth) {
    text += "Whether the server's memory grows for them was not measured.";
  } else if (slow.grows) {
    text += fmt::format(
        "**The server's memory grows for them**: {} rose by {} during the triggers, "
        "{} for each.",
        slow.process_subject, bytes_text(*slow.process_growth),
        bytes_text(*slow.process_growth / static_cast<double>(slow.clients)));
  } else {
    text += fmt::format("The server's memory does not grow for them: {} changed by {}.",
                        slow.process_subject, bytes_text(*slow.process_growth));
  }
  if (slow.kernel_growth) {
    text += fmt::format(" The kernel's send queues took {}.", bytes_text(*slow.kernel_growth));
  }
  if (slow.unread) {
    text += fmt::format(" Not more than {} of what was sent to them can be left in the process.",
                        bytes_text(*slow.unread));
  }
  return text + "\n\n";
}

std::string server_section(const BroadcastAssessment& assessment, const Recording& recording) {
  MarkdownTable table(phase_columns("cycle"));
  add_phases(table, "1", assessment.cpu, assessment.loops);
  std::string text = "## Server\n\n### CPU and event loop\n\n";
  if (table.empty()) {
    text += "Not measured.\n\n";
  } else {
    text += phases_note(recording) + "The triggers run in the hold phase.\n\n" + table.markdown();
  }
  if (assessment.user_per_delivery) {
    text += fmt::format("Per delivered message: {} in user mode, {} in the kernel.",
                        amount_text(*assessment.user_per_delivery * 1e9, Unit::nanoseconds),
                        amount_text(*assessment.system_per_delivery * 1e9, Unit::nanoseconds));
  }
  if (assessment.driver_share) {
    text += fmt::format("{}The tool itself used {} of one CPU.",
                        assessment.user_per_delivery ? " " : "",
                        optional_share(assessment.driver_share));
  }
  if (assessment.user_per_delivery || assessment.driver_share) text += "\n\n";
  return text + stalls_part(assessment, recording) + memory_part(assessment) +
         slow_part(assessment);
}

std::string latency_line(const std::string& what, const Latencies& latencies) {
  if (latencies.count == 0) return "";
  return fmt::format("  {}: p50 {}, p90 {}, p99 {}, p99.9 {}, max {}\n", what,
                     duration_text(latencies.p50), duration_text(latencies.p90),
                     duration_text(latencies.p99), duration_text(latencies.p999),
                     duration_text(latencies.max));
}

}  // namespace

std::string broadcast_report(const BroadcastAssessment& assessment, const Recording& recording) {
  return report_head("Broadcast Profile", recording, assessment.sentence,
                     {run_line(assessment, recording), throughput_line(assessment)}) +
         deliveries_section(assessment) + latency_section(assessment) +
         waits_section(assessment, recording) + server_section(assessment, recording) +
         advice_section(broadcast_advice(assessment),
                        "Nothing to fix at this rate; a higher `--rate` or more clients would find "
                        "the limit.") +
         conditions_section(recording);
}

std::string broadcast_summary_text(const BroadcastAssessment& assessment, const Recording&) {
  const DeliveryCounts& counts = assessment.deliveries;
  std::string text = clean_text(assessment.sentence, 1000) + "\n";
  if (counts.triggers == 0) return text;
  if (counts.tokens_seen && counts.well > 0) {
    text += fmt::format("  {} of {} delivered once or more, {} lost, {} copies, {} out of order\n",
                        number_text(counts.delivered), number_text(counts.expected),
                        number_text(counts.lost), number_text(counts.copies),
                        number_text(counts.reordered));
  }
  text += latency_line("trigger to client", assessment.delivery);
  text += latency_line("trigger to its answer", assessment.answer);
  if (const LoopUse* loop = use_in(assessment.loops, Phase::hold)) {
    text += fmt::format("  event loop {:.0f} % busy, longest turn {}\n", loop->busy_share * 100,
                        duration_text(loop->longest_seconds));
  }
  if (assessment.slow && assessment.slow->process_growth) {
    text +=
        fmt::format("  {} not reading: {} {} by {}\n", counted(assessment.slow->clients, "client"),
                    assessment.slow->process_subject, assessment.slow->grows ? "grew" : "changed",
                    bytes_text(*assessment.slow->process_growth));
  }
  if (assessment.unmatched > 0) {
    text += fmt::format("  {} without a token, the first: {}\n",
                        counted(assessment.unmatched, "message"),
                        clean_text(assessment.unmatched_sample, 100));
  }
  return text;
}

}  // namespace ebbtide
