#include "analysis/report/heap_json.h"

#include <nlohmann/json.hpp>
#include <string>

#include "analysis/report/escape.h"
#include "recording/names.h"

namespace ebbtide {
namespace {

using Json = nlohmann::ordered_json;

std::string heap_text(const std::string& value) { return clean_text(value, 10'000); }

Json position_json(const CodePosition& position) {
  return {{"script", heap_text(position.script)},
          {"line", position.line},
          {"column", position.column},
          {"compiled", heap_text(position.compiled)}};
}

Json cause_json(const HeapCause& cause) {
  Json companions = Json::array();
  for (const HeapCause::Companion& companion : cause.companions) {
    companions.push_back({{"class", heap_text(companion.class_name)},
                          {"position", position_json(companion.position)},
                          {"per_connection_count", companion.per_connection}});
  }
  return {{"path", heap_text(cause.path)},
          {"isolate", heap_text(cause.isolate)},
          {"container", heap_text(cause.container)},
          {"content", heap_text(cause.content)},
          {"position", position_json(cause.position)},
          {"user_code", cause.user_code},
          {"per_connection_count", cause.objects_per_connection},
          {"retained_per_connection_bytes", cause.retained_per_connection},
          {"levels", cause.levels},
          {"bounded", cause.bounded},
          {"given_back", cause.given_back},
          {"handles_only", cause.handles_only},
          {"companions", std::move(companions)}};
}

}  // namespace

nlohmann::ordered_json heap_findings_json(const HeapFindings& findings) {
  Json causes = Json::array();
  for (const HeapCause& cause : findings.causes) causes.push_back(cause_json(cause));
  Json growths = Json::array();
  for (const HeapGrowth& growth : findings.growths) {
    growths.push_back({{"isolate", heap_text(growth.isolate)},
                       {"name", heap_text(growth.name)},
                       {"position", position_json(growth.position)},
                       {"per_connection_count", growth.objects_per_connection},
                       {"per_connection_bytes", growth.bytes_per_connection},
                       {"levels", growth.levels},
                       {"bounded", growth.bounded}});
  }
  return {{"looks", findings.looks},
          {"reservation", heap_text(findings.reservation)},
          {"causes", std::move(causes)},
          {"growths", std::move(growths)}};
}

nlohmann::ordered_json heap_censuses_json(const Recording& recording) {
  Json rows = Json::array();
  for (const HeapCensus& census : recording.heap_censuses) {
    rows.push_back({{"cycle", census.cycle},
                    {"isolate", heap_text(census.isolate)},
                    {"source", name_of(census.source)},
                    {"objects", census.objects},
                    {"reachable_bytes", census.reachable_bytes},
                    {"handle_bytes", census.handle_bytes},
                    {"compiled_bytes", census.compiled_bytes},
                    {"garbage_bytes", census.garbage_bytes},
                    {"external_bytes", census.external_bytes},
                    {"resident_bytes", census.resident_bytes},
                    {"walked_permille", census.walked_permille},
                    {"pause_seconds", static_cast<double>(census.pause_ns) * 1e-9},
                    {"took_seconds", static_cast<double>(census.took_ns) * 1e-9}});
  }
  return rows;
}

}  // namespace ebbtide
