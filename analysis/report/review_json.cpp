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

Json review_object(const Review& review) {
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
  return {{"schema", review_schema},
          {"files", review.files},
          {"size_bytes", review.bytes},
          {"servers", std::move(servers)},
          {"findings", std::move(findings)},
          {"checks", std::move(checks)},
          {"suppressed", std::move(suppressed)},
          {"unread", std::move(unread)}};
}

}  // namespace

std::string review_json(const Review& review) { return review_object(review).dump(2) + "\n"; }

nlohmann::ordered_json joined_review_json(const Causes& causes) {
  Json json = review_object(causes.review);
  Json findings = Json::array();
  for (const JoinedFinding& joined : causes.join.findings) {
    Json finding = std::move(json["findings"][joined.finding]);
    finding["standing"] = standing_name(joined.standing);
    finding["because"] = valid(joined.because);
    finding["causes"] = joined.causes;
    finding["retained_per_connection_bytes"] = joined.retained_per_connection;
    findings.push_back(std::move(finding));
  }
  json["findings"] = std::move(findings);
  json["unexplained_causes"] = causes.join.unexplained;
  return json;
}

}  // namespace ebbtide
