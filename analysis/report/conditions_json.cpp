#include "analysis/report/conditions_json.h"

#include <map>
#include <nlohmann/json.hpp>
#include <utility>

#include "analysis/endings/close_modes.h"
#include "analysis/endings/passes.h"
#include "analysis/report/escape.h"
#include "recording/names.h"
#include "recording/span.h"

namespace ebbtide {
namespace {

using Json = nlohmann::ordered_json;

}  // namespace

std::string json_text(const std::string& value) { return clean_text(value, 10'000); }

std::string json_text(const Json& root) {
  return root.dump(2, ' ', false, Json::error_handler_t::replace) + "\n";
}

Json gauges_json(const Recording& recording, std::uint32_t cycle) {
  std::map<std::pair<GaugeKind, Point>, std::int64_t> values;
  for (const Gauge& gauge : recording.gauges) {
    if (gauge.cycle == cycle) values[{gauge.kind, gauge.point}] = gauge.value;
  }
  Json gauges = Json::object();
  for (const auto& [key, value] : values) {
    const GaugeInfo& info = gauge_info(key.first);
    const std::string name =
        std::string(info.name) +
        (info.unit == Unit::bytes && !info.name.ends_with("_bytes") ? "_bytes" : "") +
        (info.unit == Unit::count ? "_count" : "") + (info.unit == Unit::nanoseconds ? "_ns" : "");
    gauges[name][std::string(name_of(key.second))] = value;
  }
  return gauges;
}

Json losses_json(const Recording& recording) {
  Json losses = Json::array();
  for (const Loss& loss : recording.losses) {
    losses.push_back({{"name", json_text(loss.name)}, {"count", loss.count}});
  }
  return losses;
}

Json conditions_json(const Recording& recording) {
  const RunInfo& run = recording.run;
  Json tiers = Json::array();
  for (const Tier& tier : recording.tiers) {
    tiers.push_back(
        {{"name", json_text(tier.name)}, {"on", tier.on}, {"detail", json_text(tier.detail)}});
  }
  const auto where = cut_off(recording);
  const bool in_pass = where && where->pass;
  Json notes = Json::array();
  for (const Note& note : recording.notes) {
    notes.push_back({{"cycle", note.cycle}, {"text", json_text(note.text)}});
  }
  return {{"tool_version", json_text(run.tool_version)},
          {"command_line", json_text(run.command_line)},
          {"started_unix_s", run.started_unix_s},
          {"url", json_text(run.url)},
          {"pid", run.pid},
          {"cmdline", json_text(run.cmdline)},
          {"exe", json_text(run.exe)},
          {"runtime", json_text(run.runtime)},
          {"runtime_version", json_text(run.runtime_version)},
          {"kernel", json_text(run.kernel)},
          {"machine", json_text(run.machine)},
          {"cpus", run.cpus},
          {"planned_cycles", run.plan.cycles},
          {"planned_connections_per_cycle", run.plan.connections},
          {"end", name_of(recording.end.reason)},
          {"end_detail", json_text(recording.end.detail)},
          {"end_seconds", span_seconds(run.start_ns, recording.end.end_ns)},
          {"end_cycle", where ? Json(where->cycle) : Json(nullptr)},
          {"end_close_mode", in_pass ? Json(close_mode_title(*where->pass)) : Json(nullptr)},
          {"tiers", std::move(tiers)},
          {"notes", std::move(notes)}};
}

}  // namespace ebbtide
