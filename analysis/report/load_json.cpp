#include <nlohmann/json.hpp>

#include "analysis/report/broadcast_report.h"
#include "analysis/report/conditions_json.h"
#include "analysis/report/connections_report.h"
#include "analysis/report/json.h"
#include "recording/names.h"

namespace ebbtide {
namespace {

using Json = nlohmann::ordered_json;

template <class T>
Json or_null(const std::optional<T>& value) {
  return value ? Json(*value) : Json(nullptr);
}

Json latencies_json(const Latencies& latencies) {
  if (latencies.count == 0) return {{"count", 0}};
  return {{"count", latencies.count},       {"p50_seconds", latencies.p50},
          {"p90_seconds", latencies.p90},   {"p99_seconds", latencies.p99},
          {"p999_seconds", latencies.p999}, {"max_seconds", latencies.max}};
}

std::string_view origin_name(FailureOrigin origin) {
  switch (origin) {
    case FailureOrigin::refusal:
      return "refusal";
    case FailureOrigin::own_limit:
      return "own_limit";
    case FailureOrigin::run_end:
      return "run_end";
    case FailureOrigin::server:
      break;
  }
  return "server";
}

Json failures_json(const std::vector<FailureReason>& failures) {
  Json rows = Json::array();
  for (const FailureReason& reason : failures) {
    rows.push_back({{"stage", name_of(reason.stage)},
                    {"reason", json_text(reason.text)},
                    {"origin", origin_name(reason.origin)},
                    {"count", reason.count}});
  }
  return rows;
}

Json cpu_json(const std::vector<CpuUse>& uses) {
  Json phases = Json::object();
  for (const CpuUse& use : uses) {
    phases[std::string(name_of(use.phase))] = {{"span_seconds", use.span_seconds},
                                               {"user_seconds", use.user_seconds},
                                               {"system_seconds", use.system_seconds}};
  }
  return phases;
}

Json loops_json(const std::vector<LoopUse>& uses) {
  Json phases = Json::object();
  for (const LoopUse& use : uses) {
    phases[std::string(name_of(use.phase))] = {{"tid", use.tid},
                                               {"busy_share", use.busy_share},
                                               {"waiting_for_cpu_share", use.delayed_share},
                                               {"longest_turn_seconds", use.longest_seconds},
                                               {"longest_turn_at_seconds", use.longest_at_seconds}};
  }
  return phases;
}

Json level_json(const LevelReport& level, const Recording& recording) {
  Json growth = Json::array();
  for (const LevelOfUse& use : level.uses) {
    const std::string unit = use.unit == Unit::bytes ? "_bytes" : "_count";
    growth.push_back({{"of", use.subject},
                      {"held_over_floor" + unit, or_null(use.growth())},
                      {"returned_share", or_null(use.returned())}});
  }
  return {{"level", level.cycle},
          {"finished", level.finished},
          {"attempted", level.attempted},
          {"established", level.established},
          {"open_at_end_of_hold", level.open},
          {"establish_seconds", or_null(level.establish_seconds)},
          {"scheduled", level.scheduled},
          {"tcp_connect", latencies_json(level.connect)},
          {"tls", latencies_json(level.secure)},
          {"upgrade", latencies_json(level.upgrade)},
          {"first_answer", latencies_json(level.answer)},
          {"to_established", latencies_json(level.whole)},
          {"connects_near_1s", level.near_1s},
          {"connects_near_3s", level.near_3s},
          {"listen_overflows", or_null(level.overflows)},
          {"listen_drops", or_null(level.drops)},
          {"received_per_second", or_null(level.received_per_second)},
          {"sent_per_second", or_null(level.sent_per_second)},
          {"tool_cpu_share", or_null(level.driver_share)},
          {"failures", failures_json(level.failures)},
          {"growth", std::move(growth)},
          {"cpu", cpu_json(level.cpu)},
          {"event_loop", loops_json(level.loops)},
          {"gauges", gauges_json(recording, level.cycle)}};
}

Json costs_json(const LevelsAssessment& assessment) {
  Json rows = Json::array();
  for (const ConnectionCost& cost : assessment.costs) {
    Json row = {{"of", cost.subject},
                {"levels", cost.levels},
                {"per_connection_bytes", or_null(cost.per_connection)}};
    if (cost.per_connection) {
      row["interval_low_bytes"] = cost.interval.low;
      row["interval_high_bytes"] = cost.interval.high;
      row["fixed_bytes"] = cost.fixed;
    }
    row["largest_level_bytes_per_connection"] = or_null(cost.at_largest);
    rows.push_back(std::move(row));
  }
  return rows;
}

Json upstreams_json(const std::vector<UpstreamUse>& upstreams) {
  Json rows = Json::array();
  for (const UpstreamUse& peer : upstreams) {
    rows.push_back({{"address", json_text(peer.address)},
                    {"port", peer.port},
                    {"answers", peer.answers},
                    {"mean_wait_seconds", peer.mean_seconds},
                    {"longest_wait_seconds", peer.longest_seconds},
                    {"share_of_trigger_time", or_null(peer.trigger_share)},
                    {"waits_at_a_time", peer.outstanding},
                    {"connections", peer.connections}});
  }
  return rows;
}

Json deliveries_json(const DeliveryCounts& counts) {
  return {{"triggers", counts.triggers},
          {"triggers_well", counts.well},
          {"expected", counts.expected},
          {"delivered", counts.delivered},
          {"tokens_seen", counts.tokens_seen},
          {"lost", counts.tokens_seen ? Json(counts.lost) : Json(nullptr)},
          {"copies", counts.copies},
          {"out_of_order", counts.reordered},
          {"of_failed_triggers", counts.unexpected}};
}

Json slow_json(const std::optional<SlowReaders>& slow) {
  if (!slow) return nullptr;
  return {{"clients", slow->clients},
          {"send_queue_growth_bytes", or_null(slow->kernel_growth)},
          {"process_growth_of", slow->process_subject},
          {"process_growth_bytes", or_null(slow->process_growth)},
          {"unread_at_most_bytes", or_null(slow->unread)},
          {"memory_grows", slow->grows}};
}

}  // namespace

std::string connections_json(const LevelsAssessment& assessment, const Recording& recording) {
  Json levels = Json::array();
  for (const LevelReport& level : assessment.levels) levels.push_back(level_json(level, recording));
  const Limit& limit = assessment.limit;
  const bool reached = limit.cause != LimitCause::none;
  Json root;
  root["schema"] = results_schema;
  root["kind"] = "connections";
  root["sentence"] = json_text(assessment.sentence);
  root["connections_held"] = assessment.held;
  root["limit"] = {{"cause", limit_cause_name(limit.cause)},
                   {"level", reached ? Json(assessment.levels[limit.level].cycle) : Json(nullptr)},
                   {"reason", json_text(limit.reason)}};
  root["opening_bound_by"] = json_text(assessment.opening_bound);
  root["extrapolation"] = assessment.extrapolation;
  root["confidence"] = assessment.confidence;
  root["cost_of_one_connection"] = costs_json(assessment);
  root["levels"] = std::move(levels);
  root["baseline"] = gauges_json(recording, 0);
  root["conditions"] = conditions_json(recording);
  root["losses"] = losses_json(recording);
  return json_text(root);
}

std::string broadcast_json(const BroadcastAssessment& assessment, const Recording& recording) {
  Json stalls = Json::array();
  for (const LoopStall& stall : assessment.stalls) {
    const std::uint64_t start_ns = start_of_cycle(recording, stall.cycle);
    const std::uint64_t at_ns = stall.start_ns > start_ns ? stall.start_ns - start_ns : 0;
    stalls.push_back({{"tid", stall.tid},
                      {"at_seconds", static_cast<double>(at_ns) * 1e-9},
                      {"seconds", static_cast<double>(stall.duration_ns) * 1e-9}});
  }
  Json root;
  root["schema"] = results_schema;
  root["kind"] = "broadcast";
  root["sentence"] = json_text(assessment.sentence);
  root["bottleneck"] = {{"cause", bottleneck_name(assessment.bottleneck)},
                        {"sentence", json_text(assessment.waits_for)}};
  root["clients"] = {{"attempted", assessment.attempted},
                     {"subscribed", assessment.subscribers},
                     {"failures", failures_json(assessment.client_failures)}};
  root["deliveries"] = deliveries_json(assessment.deliveries);
  root["trigger_failures"] = failures_json(assessment.trigger_failures);
  root["triggers_per_second"] = or_null(assessment.triggers_per_second);
  root["deliveries_per_second"] = or_null(assessment.deliveries_per_second);
  root["latency"] = {{"delivery", latencies_json(assessment.delivery)},
                     {"after_answer", latencies_json(assessment.after_answer)},
                     {"first_client", latencies_json(assessment.first)},
                     {"first_to_last_client", latencies_json(assessment.spread)},
                     {"trigger_answer", latencies_json(assessment.answer)},
                     {"trigger_lag", latencies_json(assessment.lag)},
                     {"tool_reading_lag", latencies_json(assessment.reading)},
                     {"share_before_first_client", or_null(assessment.before_first_share)},
                     {"share_before_answer", or_null(assessment.before_answer_share)}};
  root["triggers_under_way"] = {{"mean", assessment.under_way},
                                {"most", assessment.most_under_way}};
  root["upstreams"] = upstreams_json(assessment.upstreams);
  root["cpu"] = cpu_json(assessment.cpu);
  root["cpu_user_per_delivery_seconds"] = or_null(assessment.user_per_delivery);
  root["cpu_system_per_delivery_seconds"] = or_null(assessment.system_per_delivery);
  root["event_loop"] = loops_json(assessment.loops);
  root["stalls"] = std::move(stalls);
  root["tool_cpu_share"] = or_null(assessment.driver_share);
  root["send_queue_growth_bytes"] = or_null(assessment.send_queue_growth);
  root["rss_peak_bytes"] = or_null(assessment.rss_peak);
  root["slow_readers"] = slow_json(assessment.slow);
  root["unmatched"] = {{"count", assessment.unmatched},
                       {"sample", json_text(assessment.unmatched_sample)}};
  root["baseline"] = gauges_json(recording, 0);
  root["gauges"] = gauges_json(recording, 1);
  root["conditions"] = conditions_json(recording);
  root["losses"] = losses_json(recording);
  return json_text(root);
}

}  // namespace ebbtide
