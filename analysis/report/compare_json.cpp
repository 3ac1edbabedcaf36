#include <nlohmann/json.hpp>

#include "analysis/report/compare_report.h"
#include "analysis/report/conditions_json.h"
#include "analysis/report/json.h"
#include "recording/names.h"

namespace ebbtide {
namespace {

using Json = nlohmann::ordered_json;

// "not_comparable": names in JSON hold no spaces.
std::string json_name(Change change) {
  std::string name(change_name(change));
  for (char& byte : name) byte = byte == ' ' ? '_' : byte;
  return name;
}

std::string_view unit_suffix(Measure measure) {
  switch (measure) {
    case Measure::bytes:
      return "_bytes";
    case Measure::count:
      return "_count";
    case Measure::seconds:
      return "_seconds";
    case Measure::per_second:
      return "_per_second";
    case Measure::share:
      break;
  }
  return "_share";
}

Json interval_json(const std::optional<Interval>& interval) {
  return interval ? Json{interval->low, interval->high} : Json(nullptr);
}

Json estimate_json(const std::optional<Estimate>& estimate) {
  if (!estimate) return nullptr;
  return {{"value", estimate->value}, {"interval", interval_json(estimate->interval)}};
}

Json figures_json(const Comparison& comparison) {
  Json rows = Json::array();
  for (const PairedFigure& figure : comparison.figures) {
    const std::string unit(unit_suffix(figure.measure));
    Json row;
    row["subject"] = json_text(figure.subject);
    row["verdict"] = json_name(figure.change);
    row["decisive"] = figure.decisive;
    row["more_is_better"] = figure.more_is_better;
    row["before" + unit] = estimate_json(figure.before);
    row["after" + unit] = estimate_json(figure.after);
    row["difference_interval" + unit] = interval_json(figure.difference);
    row["margin" + unit] = figure.margin;
    row["reason"] = json_text(figure.reason);
    rows.push_back(std::move(row));
  }
  return rows;
}

Json retained_json(const std::optional<double>& bytes) {
  return bytes ? Json(*bytes) : Json(nullptr);
}

Json causes_json(const Comparison& comparison) {
  Json rows = Json::array();
  for (const ComparedCause& cause : comparison.causes) {
    const bool heap = cause.evidence == ComparedCause::Evidence::heap;
    rows.push_back({{"evidence", heap ? "heap" : "review"},
                    {"subject", json_text(cause.subject)},
                    {"verdict", json_name(cause.change)},
                    {"user_code", cause.user_code},
                    {"before_objects_per_connection_count", estimate_json(cause.objects.before)},
                    {"after_objects_per_connection_count", estimate_json(cause.objects.after)},
                    {"objects_difference_interval_count", interval_json(cause.objects.difference)},
                    {"before_retained_per_connection_bytes", retained_json(cause.before)},
                    {"after_retained_per_connection_bytes", retained_json(cause.after)},
                    {"reason", json_text(cause.reason)}});
  }
  return rows;
}

Json differences_json(const Comparison& comparison) {
  Json rows = Json::array();
  for (const RunDifference& row : comparison.differences) {
    rows.push_back(
        {{"what", row.what}, {"before", json_text(row.before)}, {"after", json_text(row.after)}});
  }
  return rows;
}

}  // namespace

std::string compare_json(const CompareResult& result) {
  Json pairs = Json::array();
  for (const ComparedPair& pair : result.pairs) {
    const Comparison& comparison = pair.comparison;
    pairs.push_back({{"kind", name_of(comparison.kind)},
                     {"before_recording", json_text(pair.before)},
                     {"after_recording", json_text(pair.after)},
                     {"verdict", json_name(comparison.overall)},
                     {"sentence", json_text(comparison.sentence)},
                     {"before_sentence", json_text(comparison.before)},
                     {"after_sentence", json_text(comparison.after)},
                     {"figures", figures_json(comparison)},
                     {"causes", causes_json(comparison)},
                     {"differences", differences_json(comparison)}});
  }
  Json left_out = Json::array();
  for (const std::string& text : result.left_out) left_out.push_back(json_text(text));
  Json root;
  root["schema"] = results_schema;
  root["comparisons"] = std::move(pairs);
  root["not_compared"] = std::move(left_out);
  return json_text(root);
}

}  // namespace ebbtide
