#include "analysis/report/json.h"

#include <map>
#include <nlohmann/json.hpp>
#include <tuple>

#include "analysis/cool_down.h"
#include "analysis/disturbances.h"
#include "analysis/join.h"
#include "analysis/report/close_modes_json.h"
#include "analysis/report/conditions_json.h"
#include "analysis/report/heap_json.h"
#include "analysis/report/retention_section.h"
#include "analysis/report/review_json.h"
#include "analysis/report/sections.h"
#include "analysis/series.h"
#include "analysis/thresholds.h"
#include "recording/span.h"

namespace ebbtide {
namespace {

using Json = nlohmann::ordered_json;

Json judgements(const Assessment& assessment) {
  Json rows = Json::array();
  for (const Judgement& judgement : assessment.judgements) {
    const bool gauge = judgement.evidence == Judgement::Evidence::gauge;
    const std::string unit = judgement.unit == Unit::bytes ? "_bytes" : "_count";
    Json row;
    row["evidence"] = gauge ? "gauge" : "survivors";
    row["of"] = gauge ? name_of(judgement.gauge) : name_of(judgement.resource);
    row["subject"] = judgement.subject;
    row["verdict"] = verdict_name(judgement.verdict);
    row["decisive"] = judgement.decisive;
    row["per_connection" + unit] = judgement.per_connection;
    row["interval_low" + unit] = judgement.interval.low;
    row["interval_high" + unit] = judgement.interval.high;
    row["limit" + unit] = judgement.limit;
    row["drift_per_second" + unit] = judgement.drift_per_second;
    row["per_cycle" + unit] = judgement.per_cycle;
    row["given_back_late_per_connection" + unit] = judgement.late_return;
    row["points"] = judgement.points;
    row["warm_up_cycles"] = judgement.warm_up_cycles;
    row["reason"] = json_text(judgement.reason);
    rows.push_back(std::move(row));
  }
  return rows;
}

Json survivors(const Assessment& assessment) {
  Json rows = Json::array();
  for (const CohortSurvivors& row : assessment.survivors) {
    rows.push_back({{"kind", name_of(row.kind)},
                    {"cycle", row.cycle},
                    {"births", row.births},
                    {"survivors", row.survivors},
                    {"alive_at_end", row.alive_at_end},
                    {"survivor_bytes", row.survivor_bytes}});
  }
  return rows;
}

Json cycles(const Recording& recording) {
  Json rows = Json::array();
  const CoolDown cool_down = find_cool_down(recording);
  rows.push_back({{"cycle", 0}, {"gauges", gauges_json(recording, 0)}});
  for (const Cycle& cycle : recording.cycles) {
    Json row = {{"cycle", cycle.number},
                {"idle", cycle.dose == 0},
                {"cool_down", cool_down.has(cycle.number)},
                {"asked", cycle.dose},
                {"established", cycle.established},
                {"seconds", span_seconds(cycle.start_ns, cycle.end_ns)}};
    for (const PhaseSpan& span : recording.phases) {
      if (span.cycle != cycle.number || span.phase != Phase::settle) continue;
      row["settle_seconds"] = span_seconds(span.start_ns, span.end_ns);
      row["settle_hit_cap"] = span.hit_cap;
      row["sockets_left"] = span.sockets_left;
    }
    row["gauges"] = gauges_json(recording, cycle.number);
    rows.push_back(std::move(row));
  }
  return rows;
}

Json disturbances(const Recording& recording) {
  Json rows = Json::array();
  for (const Disturbance& each : find_disturbances(recording, join_sockets(recording))) {
    rows.push_back({{"kind", disturbance_name(each.kind)},
                    {"count", each.count},
                    {"cycles", each.cycles},
                    {"text", each.text}});
  }
  return rows;
}

Json connections(const Recording& recording) {
  using Failure = std::tuple<Stage, std::int32_t, std::int32_t, std::string>;
  std::map<Failure, std::uint64_t> failures;
  std::uint64_t established = 0;
  for (const Connection& connection : recording.connections) {
    established += connection.established_ns != 0;
    if (connection.failed_at == Stage::none) continue;
    ++failures[{connection.failed_at, connection.error_code, connection.http_status,
                connection.error}];
  }
  Json rows = Json::array();
  for (const auto& [failure, count] : failures) {
    const auto& [stage, code, status, error] = failure;
    rows.push_back({{"stage", name_of(stage)},
                    {"errno", code},
                    {"http_status", status},
                    {"error", json_text(error)},
                    {"count", count}});
  }
  const SocketJoin join = join_sockets(recording);
  return {{"attempted", recording.connections.size()},
          {"established", established},
          {"connected", join.connected},
          {"found_on_the_server", join.connection_of.size()},
          {"sockets_from_elsewhere", join.strangers.size()},
          {"failures", std::move(rows)}};
}

}  // namespace

std::string results_json(const Recording& run, const LeakAnswer& answer) {
  const auto& [recording, assessment, causes, modes] = answer;
  Json root;
  root["schema"] = results_schema;
  root["verdict"] = verdict_name(assessment.verdict);
  root["sentence"] = json_text(assessment.sentence);
  root["to_decide"] = what_decides(recording, assessment);
  root["cycles_finished"] = assessment.cycles;
  root["connections_established"] = assessment.connections;
  root["confidence"] = assessment.confidence;
  root["judgements"] = judgements(assessment);
  root["survivors"] = survivors(assessment);
  if (!assessment.retention.parts.empty())
    root["retention"] = retention_json(assessment.retention, is_v8(recording));
  root["disturbances"] = disturbances(recording);
  if (!recording.heap_censuses.empty()) {
    root["heap"] = heap_findings_json(causes.heap);
    root["heap_censuses"] = heap_censuses_json(recording);
  }
  if (causes.review.files > 0) root["review"] = joined_review_json(causes);
  if (modes.several()) root["close_modes"] = close_modes_json(modes);
  root["cycles"] = cycles(recording);
  root["connections"] = connections(recording);
  root["conditions"] = conditions_json(run);
  root["losses"] = losses_json(recording);
  return json_text(root);
}

}  // namespace ebbtide
