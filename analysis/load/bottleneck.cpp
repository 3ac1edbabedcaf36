#include "analysis/load/bottleneck.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <utility>

#include "analysis/format.h"
#include "analysis/load/limit.h"

namespace ebbtide {
namespace {

constexpr double busy_driver_share = 0.7;
constexpr double late_seconds = 0.001;
constexpr double much_lag = 0.25;  // of the delivery latency
constexpr double long_stall_seconds = 0.1;
constexpr double saturated_share = 0.9;
constexpr double mostly_busy_share = 0.6;
constexpr double always_waiting = 0.8;  // of the most triggers ever under way at once
constexpr double much_of_the_wait = 0.5;
constexpr double pool_in_use = 0.8;
constexpr double quick_seconds = 0.002;  // to the first client: nothing to look for
constexpr double queue_per_client = 64 * 1024;

// Who customarily listens there.
std::string_view service_at(std::uint16_t port) {
  constexpr std::pair<std::uint16_t, std::string_view> services[] = {
      {5432, "PostgreSQL"}, {3306, "MySQL"},     {6379, "Redis"}, {27017, "MongoDB"},
      {5672, "RabbitMQ"},   {9092, "Kafka"},     {4222, "NATS"},  {9200, "Elasticsearch"},
      {11211, "memcached"}, {1433, "SQL Server"}};
  const auto* found =
      std::ranges::find(services, port, &std::pair<std::uint16_t, std::string_view>::first);
  return found == std::end(services) ? std::string_view() : found->second;
}

std::string place(const UpstreamUse& peer) {
  const bool v6 = peer.address.find(':') != std::string::npos;
  const std::string_view service = service_at(peer.port);
  return fmt::format("{}{}{}:{}{}", v6 ? "[" : "", peer.address, v6 ? "]" : "", peer.port,
                     service.empty() ? "" : fmt::format(" ({}'s port)", service));
}

// Before the answer the trigger's own path is on the clock; with it most of the delivery's time.
std::string before_answer(const BroadcastAssessment& assessment) {
  if (!assessment.before_answer_share) return "";
  return fmt::format("; {} of the delivery latency passes before the trigger is answered",
                     percent_text(*assessment.before_answer_share));
}

bool none_well(BroadcastAssessment& assessment) {
  if (assessment.deliveries.well > 0) return false;
  const auto& failures = assessment.trigger_failures;
  assessment.bottleneck = Bottleneck::no_trigger;
  assessment.waits_for = failures.empty() ? "No trigger was sent, so nothing was measured"
                                          : "No trigger succeeded (" + failures.front().text +
                                                "), so the broadcast itself was not measured";
  return true;
}

bool driver_bound(BroadcastAssessment& assessment) {
  if (assessment.driver_share.value_or(0) > busy_driver_share) {
    assessment.waits_for = fmt::format(
        "The measurement is bounded by the tool: its CPU is busy {} of the time, the server may be "
        "faster",
        percent_text(std::min(*assessment.driver_share, 1.0)));
  } else if (assessment.lag.p99 > std::max(late_seconds, much_lag * assessment.delivery.p50) &&
             assessment.lag_of_driver * 100 > assessment.lag.count) {
    assessment.waits_for = fmt::format(
        "The measurement is bounded by the tool: it sent triggers late (p99 {}) though it had "
        "requests free",
        duration_text(assessment.lag.p99));
  } else {
    return false;
  }
  assessment.bottleneck = Bottleneck::driver;
  return true;
}

bool dependency_bound(BroadcastAssessment& assessment) {
  // A wait that outlasts them all, as of a queue's reader, is on no trigger's way.
  const double longest_way = std::max(assessment.answer.p99, assessment.delivery.p99);
  for (const UpstreamUse& peer : assessment.upstreams) {
    if (peer.mean_seconds > longest_way) continue;
    const bool waited = peer.trigger_share.value_or(0) >= much_of_the_wait;
    const auto connections = static_cast<double>(peer.connections);
    const bool full = connections > 0 && peer.outstanding >= pool_in_use * connections;
    if (!waited && !full) continue;
    assessment.bottleneck = Bottleneck::dependency;
    assessment.waits_for =
        fmt::format("The server waits for {}: {} answers of {} on average", place(peer),
                    number_text(peer.answers), duration_text(peer.mean_seconds));
    if (waited) {
      assessment.waits_for += fmt::format(", {} of the time that triggers take",
                                          percent_text(std::min(*peer.trigger_share, 1.0)));
    }
    if (full) {
      assessment.waits_for += fmt::format(", its {} to it in use all the time",
                                          counted(peer.connections, "connection"));
    }
    assessment.waits_for += before_answer(assessment);
    return true;
  }
  return false;
}

bool machine_bound(BroadcastAssessment& assessment) {
  const LoopUse* loop = use_in(assessment.loops, Phase::hold);
  if (loop == nullptr || !is_delayed(*loop)) return false;
  assessment.bottleneck = Bottleneck::machine;
  const double tool = assessment.driver_share.value_or(0);
  assessment.waits_for = fmt::format(
      "This machine is the bottleneck: {} of the time the server's event loop is ready to run "
      "while others have the CPU{}; measure again where nothing else runs",
      percent_text(loop->delayed_share),
      tool > busy_driver_share
          ? fmt::format(", the tool among them with {} of one", percent_text(tool))
          : "");
  return true;
}

bool loop_bound(BroadcastAssessment& assessment) {
  const LoopUse* loop = use_in(assessment.loops, Phase::hold);
  // When triggers wait at every moment, the busy share is the loop's share of their time (Little).
  const double most = static_cast<double>(assessment.most_under_way);
  const bool waiting =
      assessment.sent_on_delivery || (most > 1 && assessment.under_way >= always_waiting * most);
  const double enough = waiting ? mostly_busy_share : saturated_share;
  if (loop == nullptr || loop->busy_share <= enough) return false;
  assessment.bottleneck = Bottleneck::loop;
  assessment.waits_for = fmt::format(
      "The server's event loop is the bottleneck, busy {} of the "
      "time, its longest turn {}",
      percent_text(loop->busy_share), duration_text(loop->longest_seconds));
  return true;
}

bool cpu_bound(BroadcastAssessment& assessment) {
  const CpuUse* cpu = use_in(assessment.cpu, Phase::hold);
  if (cpu == nullptr || cpu->span_seconds <= 0) return false;
  const double share = (cpu->user_seconds + cpu->system_seconds) / cpu->span_seconds;
  if (share <= saturated_share) return false;
  assessment.bottleneck = Bottleneck::cpu;
  assessment.waits_for =
      fmt::format("The server's CPU is the bottleneck: {:.2f} CPUs busy while triggers run", share);
  return true;
}

bool queue_bound(BroadcastAssessment& assessment) {
  const double growth = assessment.send_queue_growth.value_or(0);
  if (growth < queue_per_client || assessment.subscribers == 0) return false;
  assessment.bottleneck = Bottleneck::send_queue;
  assessment.waits_for = fmt::format(
      "Clients do not keep up: {} more stand in the server's send queues than before the triggers",
      bytes_text(growth));
  return true;
}

bool trigger_bound(BroadcastAssessment& assessment) {
  if (assessment.before_first_share.value_or(0) < much_of_the_wait) return false;
  if (assessment.first.p50 < quick_seconds) return false;
  assessment.bottleneck = Bottleneck::trigger;
  assessment.waits_for = fmt::format(
      "The time passes before the broadcast begins: {} of the delivery latency until the first "
      "client has the message",
      percent_text(*assessment.before_first_share));
  if (broadcasts_later(assessment)) {
    assessment.waits_for +=
        fmt::format(", {} after the trigger is answered: the server broadcasts later",
                    percent_text(1 - *assessment.before_answer_share));
  }
  const LoopUse* loop = use_in(assessment.loops, Phase::hold);
  assessment.waits_for += loop == nullptr ? ", with what was not measured (no eBPF)"
                                          : fmt::format("; the event loop is busy {} of the time",
                                                        percent_text(loop->busy_share));
  return true;
}

std::string unsaturated(const BroadcastAssessment& assessment) {
  std::string text = "Nothing was saturated at this rate";
  if (const LoopUse* loop = use_in(assessment.loops, Phase::hold)) {
    text += fmt::format("; the event loop is busy {} of the time", percent_text(loop->busy_share));
  } else {
    text += " as far as it was measured";
  }
  return text;
}

std::string delivered_text(const BroadcastAssessment& assessment) {
  const DeliveryCounts& counts = assessment.deliveries;
  if (!counts.tokens_seen) {
    return fmt::format("What was delivered cannot be told: {} came, none with a token of ours",
                       counted(assessment.unmatched, "message"));
  }
  if (counts.expected == 0) return "Nobody was subscribed, so no delivery was expected";
  const double share = static_cast<double>(counts.delivered) / static_cast<double>(counts.expected);
  std::string text =
      counts.lost == 0
          ? fmt::format("All {} were delivered", counted(counts.expected, "expected message"))
          : fmt::format("{} of {} were delivered ({:.2f} %), {} lost",
                        number_text(counts.delivered), counted(counts.expected, "expected message"),
                        share * 100, number_text(counts.lost));
  if (counts.copies > 0) text += fmt::format(", {} too often", number_text(counts.copies));
  if (counts.reordered > 0) text += fmt::format(", {} out of order", number_text(counts.reordered));
  return text;
}

}  // namespace

bool broadcasts_later(const BroadcastAssessment& assessment) {
  return assessment.before_answer_share.value_or(1) < 1 - much_of_the_wait;
}

void find_bottleneck(BroadcastAssessment& assessment) {
  for (const auto& bound : {none_well, machine_bound, driver_bound, dependency_bound, loop_bound,
                            cpu_bound, queue_bound, trigger_bound}) {
    if (bound(assessment)) return;
  }
  assessment.waits_for = unsaturated(assessment);
}

std::string broadcast_sentence(const Recording& recording, const BroadcastAssessment& assessment) {
  const DeliveryCounts& counts = assessment.deliveries;
  const std::string end = end_of_run(recording.end);
  const std::string ended =
      end.empty() ? "" : (target_died(recording.end) ? " The target " : " The run ") + end + ".";
  if (counts.triggers == 0) return "No trigger was sent." + ended;
  if (counts.well == 0) {
    return fmt::format("None of {} succeeded: {}.{}", counted(counts.triggers, "trigger"),
                       assessment.trigger_failures.front().text, ended);
  }
  std::string text = delivered_text(assessment);
  if (assessment.delivery.count > 0) {
    text +=
        fmt::format("; p50 {}, p99 {} from trigger to client",
                    duration_text(assessment.delivery.p50), duration_text(assessment.delivery.p99));
  }
  if (assessment.triggers_per_second) {
    text += fmt::format("; {} triggers per second", count_text(*assessment.triggers_per_second));
  }
  if (!assessment.stalls.empty() && assessment.bottleneck != Bottleneck::loop) {
    const double longest = static_cast<double>(assessment.stalls.front().duration_ns) * 1e-9;
    if (longest >= long_stall_seconds)
      text += fmt::format("; the event loop once stood still for {}", duration_text(longest));
  }
  if (counts.well < counts.triggers) {
    text += fmt::format("; {} of {} failed", number_text(counts.triggers - counts.well),
                        counted(counts.triggers, "trigger"));
  }
  return text + ". " + assessment.waits_for + "." + ended;
}

std::string_view bottleneck_name(Bottleneck bottleneck) {
  constexpr std::array<std::string_view, 9> names = {"none",       "no_trigger", "driver",
                                                     "dependency", "trigger",    "loop",
                                                     "cpu",        "send_queue", "machine"};
  const auto index = static_cast<std::size_t>(bottleneck);
  return index < names.size() ? names[index] : "?";
}

}  // namespace ebbtide
