#include "analysis/report/review_json.h"

#include <nlohmann/json.hpp>

#include "analysis/report/escape.h"
#include "analysis/report/review_text.h"

namespace ebbtide {
namespace {

using Json = nlohmann::ordered_json;

// Sources may hold bytes that are no UTF-8, which JSON cannot.
std::string valid(std::string_view text) { return clean_text(text, 2000); }

Json range_json(const SourceRange& range) {
  return {{"line", range.line},
          {"column", range.column},
          {"end_line", range.end_line},
          {"end_column", range.end_column}};
}

Json spot_json(const SourceSpot& spot) {
  Json json{{"path", valid(spot.path)}};
  json.update(range_json(spot.range));
  return json;
}

Json spots_json(const std::vector<SourceSpot>& spots) {
  Json list = Json::array();
  for (const SourceSpot& spot : spots) list.push_back(spot_json(spot));
  return list;
}

Json evidence_json(const std::vector<ReviewEvidence>& evidence) {
  Json list = Json::array();
  for (const ReviewEvidence& each : evidence) {
    Json one = spot_json(each.spot);
    one["code"] = valid(each.code);
    one["note"] = valid(each.note);
    list.push_back(std::move(one));
  }
  return list;
}

Json runs_json(ReviewMoments moments) {
  Json list = Json::array();
  const auto tell = [&](ReviewMoments moment, const char* word) {
    if ((moments & moment) != 0) list.push_back(word);
  };
  tell(review_moment::on_open, "open");
  tell(review_moment::on_message, "message");
  tell(review_moment::on_request, "request");
  tell(review_moment::before_upgrade, "upgrade");
  tell(review_moment::later, "later");
  return list;
}

Json finding_json(const ReviewFinding& finding) {
  return {{"rule", finding.rule},
          {"severity", severity_name(finding.severity)},
          {"at", spot_json(finding.at)},
          {"reason", valid(finding.reason)},
          {"condition", valid(finding.condition)},
          {"fix", valid(finding.fix)},
          {"owner",
           {{"path", valid(finding.owner.path)},
            {"name", valid(finding.owner.name)},
            {"holder", valid(finding.owner.holder)},
            {"type", valid(finding.owner.type)}}},
          {"resource", resource_word(finding.resource)},
          {"runs", runs_json(finding.runs)},
          {"evidence", evidence_json(finding.evidence)},
          {"closures", spots_json(finding.closures)},
          {"repeats", spots_json(finding.repeats)},
          {"fingerprint", valid(finding.fingerprint)}};
}

// SARIF's word for a severity.
std::string level_of(Severity severity) {
  return severity == Severity::info ? "note" : severity_name(severity);
}

// A path as a URI reference: everything but what may stand in one is percent-encoded.
std::string uri_of(std::string_view path) {
  static constexpr std::string_view hex = "0123456789ABCDEF";
  std::string uri;
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
  return {{"physicalLocation",
           {{"artifactLocation", {{"uri", uri_of(spot.path)}}},
            {"region",
             {{"startLine", spot.range.line},
              {"startColumn", spot.range.column},
              {"endLine", spot.range.end_line},
              {"endColumn", spot.range.end_column}}}}}};
}

Json result_json(const ReviewFinding& finding) {
  Json related = Json::array();
  for (const ReviewEvidence& evidence : finding.evidence) {
    Json location = location_json(evidence.spot);
    if (!evidence.note.empty()) location["message"] = {{"text", valid(evidence.note)}};
    related.push_back(std::move(location));
  }
  Json result{{"ruleId", finding.rule},
              {"level", level_of(finding.severity)},
              {"message", {{"text", valid(finding.reason)}}},
              {"locations", Json::array({location_json(finding.at)})},
              {"relatedLocations", std::move(related)},
              {"partialFingerprints", {{"ebbtide/v1", valid(finding.fingerprint)}}}};
  return result;
}

}  // namespace

std::string review_json(const Review& review) {
  Json servers = Json::array(), findings = Json::array(), checks = Json::array();
  Json suppressed = Json::array(), unread = Json::array();
  for (const ReviewServer& server : review.servers)
    servers.push_back({{"library", server.library},
                       {"at", spot_json(server.at)},
                       {"handler", spot_json(server.handler)}});
  for (const ReviewFinding& finding : review.findings) findings.push_back(finding_json(finding));
  for (const ReviewCheck& check : review.checks)
    checks.push_back({{"rule", check.rule},
                      {"outcome", outcome_name(check.outcome)},
                      {"statement", valid(check.statement)},
                      {"evidence", evidence_json(check.evidence)}});
  for (const SuppressedFinding& each : review.suppressed)
    suppressed.push_back({{"finding", finding_json(each.finding)}, {"reason", valid(each.reason)}});
  for (const UnreadSource& each : review.unread)
    unread.push_back({{"path", valid(each.path)}, {"why", valid(each.why)}});
  const Json json{{"schema", review_schema},
                  {"files", review.files},
                  {"size_bytes", review.bytes},
                  {"servers", std::move(servers)},
                  {"findings", std::move(findings)},
                  {"checks", std::move(checks)},
                  {"suppressed", std::move(suppressed)},
                  {"unread", std::move(unread)}};
  return json.dump(2) + "\n";
}

std::string review_sarif(const Review& review, std::string_view tool_version) {
  Json rules = Json::array(), results = Json::array();
  for (const ReviewRule& rule : review_rules())
    rules.push_back({{"id", rule.id},
                     {"name", rule.name},
                     {"shortDescription", {{"text", rule.sentence}}},
                     {"defaultConfiguration", {{"level", level_of(rule.severity)}}}});
  for (const ReviewFinding& finding : review.findings) results.push_back(result_json(finding));
  for (const SuppressedFinding& each : review.suppressed) {
    Json result = result_json(each.finding);
    result["suppressions"] =
        Json::array({{{"kind", "inSource"}, {"justification", valid(each.reason)}}});
    results.push_back(std::move(result));
  }
  Json driver{{"name", "ebbtide"}, {"version", tool_version}, {"rules", std::move(rules)}};
  Json run{{"tool", {{"driver", std::move(driver)}}},
           {"columnKind", "utf16CodeUnits"},
           {"results", std::move(results)}};
  const Json sarif{{"$schema", "https://json.schemastore.org/sarif-2.1.0.json"},
                   {"version", "2.1.0"},
                   {"runs", Json::array({std::move(run)})}};
  return sarif.dump(2) + "\n";
}

}  // namespace ebbtide
