#include "analysis/report/review_sarif.h"

#include <fmt/format.h>

#include <nlohmann/json.hpp>

#include "analysis/report/escape.h"
#include "analysis/report/review_text.h"

namespace ebbtide {
namespace {

using Json = nlohmann::ordered_json;

// Sources may hold bytes that are no UTF-8, which JSON cannot.
std::string valid_text(std::string_view text) { return clean_text(text, 2000); }

std::string family_name(RuleFamily family) {
  switch (family) {
    case RuleFamily::leak:
      return "leak";
    case RuleFamily::robustness:
      return "robustness";
    case RuleFamily::hygiene:
      break;
  }
  return "hygiene";
}

// SARIF's word for a severity.
std::string level_of(Severity severity) {
  return severity == Severity::info ? "note" : severity_name(severity);
}

// A path as a URI reference: everything but what may stand in one is percent-encoded.
std::string uri_of(std::string_view path) {
  static constexpr std::string_view hex = "0123456789ABCDEF";
  std::string uri = path.starts_with("/") ? "file://" : "";
  for (const char c : path) {
    const auto byte = static_cast<unsigned char>(c);
    const bool plain = (byte >= 'a' && byte <= 'z') || (byte >= 'A' && byte <= 'Z') ||
                       (byte >= '0' && byte <= '9') ||
                       std::string_view("-_.~/").find(c) != std::string_view::npos;
    if (plain)
      uri += c;
    else
      (uri += '%', uri += hex[byte >> 4U], uri += hex[byte & 15U]);
  }
  return uri;
}

Json location_json(const SourceSpot& spot) {
  Json physical{{"artifactLocation", {{"uri", uri_of(spot.path)}}}};
  if (spot.range.line > 0)
    physical["region"] = {{"startLine", spot.range.line},
                          {"startColumn", spot.range.column},
                          {"endLine", spot.range.end_line},
                          {"endColumn", spot.range.end_column}};
  return {{"physicalLocation", std::move(physical)}};
}

Json rule_json(const ReviewRule& rule) {
  const std::string advice = fmt::format(
      "{} `// ebbtide-ignore {} reason` on the line of a finding, or alone on the line before it, "
      "says that it is meant.",
      rule.sentence, rule.id);
  return {{"id", rule.id},
          {"name", rule.name},
          {"shortDescription", {{"text", rule.name}}},
          {"fullDescription", {{"text", rule.sentence}}},
          {"help", {{"text", advice}, {"markdown", advice}}},
          {"defaultConfiguration", {{"level", level_of(rule.severity)}}},
          {"properties", {{"tags", Json::array({family_name(rule.family)})}}}};
}

Json message_json(const ReviewFinding& finding) {
  std::string text = finding.reason + ".";
  if (!finding.condition.empty()) text += fmt::format(" Only when {}.", finding.condition);
  std::string markdown = prose(text);
  if (!finding.fix.empty()) {
    text += fmt::format(" Instead: {}", finding.fix);
    markdown += "\n\n" + code_block(finding.fix, "js");
  }
  return {{"text", valid_text(text)}, {"markdown", std::move(markdown)}};
}

Json result_json(const ReviewFinding& finding) {
  Json related = Json::array();
  const auto relate = [&](const SourceSpot& spot, const std::string& note) {
    Json location = location_json(spot);
    location["id"] = related.size() + 1;
    if (!note.empty()) location["message"] = {{"text", valid_text(note)}};
    related.push_back(std::move(location));
  };
  for (const ReviewEvidence& evidence : finding.evidence) relate(evidence.spot, evidence.note);
  for (const SourceSpot& spot : finding.repeats) relate(spot, "also here");
  return {{"ruleId", finding.rule},
          {"ruleIndex", &review_rule(finding.rule) - review_rules().data()},
          {"level", level_of(finding.severity)},
          {"message", message_json(finding)},
          {"locations", Json::array({location_json(finding.at)})},
          {"relatedLocations", std::move(related)},
          {"partialFingerprints", {{"ebbtide/v1", valid_text(finding.fingerprint)}}}};
}

// What was not read, told as the tool's own notes.
Json invocation_json(const Review& review) {
  Json notes = Json::array();
  for (const UnreadSource& each : review.unread) {
    Json note{{"level", "note"},
              {"message", {{"text", fmt::format("not read: {}", valid_text(each.why))}}}};
    if (!each.path.empty()) note["locations"] = Json::array({location_json({each.path, {}})});
    notes.push_back(std::move(note));
  }
  return {{"executionSuccessful", true}, {"toolExecutionNotifications", std::move(notes)}};
}

}  // namespace

std::string review_sarif(const Review& review, std::string_view tool_version) {
  Json rules = Json::array(), results = Json::array();
  for (const ReviewRule& rule : review_rules()) rules.push_back(rule_json(rule));
  for (const ReviewFinding& finding : review.findings) results.push_back(result_json(finding));
  for (const SuppressedFinding& each : review.suppressed) {
    Json result = result_json(each.finding);
    result["suppressions"] =
        Json::array({{{"kind", "inSource"}, {"justification", valid_text(each.reason)}}});
    results.push_back(std::move(result));
  }
  Json driver{{"name", "ebbtide"}, {"version", tool_version}, {"rules", std::move(rules)}};
  Json run{{"tool", {{"driver", std::move(driver)}}},
           {"invocations", Json::array({invocation_json(review)})},
           {"columnKind", "utf16CodeUnits"},
           {"results", std::move(results)}};
  const Json sarif{{"$schema", "https://json.schemastore.org/sarif-2.1.0.json"},
                   {"version", "2.1.0"},
                   {"runs", Json::array({std::move(run)})}};
  return sarif.dump(2) + "\n";
}

}  // namespace ebbtide
