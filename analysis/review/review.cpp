#include "analysis/review/review.h"

#include <fmt/format.h>

#include <algorithm>
#include <map>
#include <tuple>

#include "analysis/review/checks.h"
#include "analysis/review/rules/families.h"
#include "analysis/review/size_bounds.h"
#include "analysis/review/suppressions.h"

namespace ebbtide {
namespace {

bool reads_before(const ReviewFinding& a, const ReviewFinding& b) {
  return std::tuple(a.at.path, a.at.range.line, a.at.range.column, a.rule) <
         std::tuple(b.at.path, b.at.range.line, b.at.range.column, b.rule);
}

// Of several files of one name the findings are told apart by their order.
void tell_fingerprints_apart(std::vector<ReviewFinding>& findings) {
  std::map<std::string, int> seen;
  for (ReviewFinding& finding : findings) {
    const int before = seen[finding.fingerprint]++;
    if (before > 0) finding.fingerprint += fmt::format(":{}", before + 1);
  }
}

void note_unread(const Parsed& parsed, Review& review) {
  for (const std::string& path : parsed.failed)
    review.unread.push_back({path, "given up: nested too deeply, or no program"});
  for (const AstFile& file : parsed.ast.files()) {
    if (file.unparsed.empty()) continue;
    std::string lines;
    for (std::size_t i = 0; i < file.unparsed.size() && i < 5; i++) {
      const auto [first, last] = file.unparsed[i];
      lines +=
          fmt::format("{}{}", i == 0 ? "" : ", ",
                      first == last ? fmt::format("{}", first) : fmt::format("{}–{}", first, last));
    }
    if (file.unparsed.size() > 5) lines += fmt::format(" and {} more", file.unparsed.size() - 5);
    review.unread.push_back({file.path, "could not be parsed: line " + lines});
  }
}

void note_servers(const ReviewSubject& subject, const RuleFindings& findings, Review& review) {
  std::vector<std::pair<NodeId, Library>> seen;
  for (const ServerEntry& entry : subject.scope.servers().entries) {
    const std::pair key{entry.registration, entry.library};
    if (std::find(seen.begin(), seen.end(), key) != seen.end()) continue;
    seen.push_back(key);
    review.servers.push_back({std::string(library_facts(entry.library).name),
                              findings.spot(entry.registration), findings.spot(entry.handler)});
  }
}

void apply_rules(const Ast& ast, const std::vector<PathMapping>& mappings, Review& review) {
  const Scopes scopes(ast);
  const Modules modules(ast, scopes, mappings);
  if (!may_serve_connections(ast, modules)) return;
  const Classes classes(ast, scopes);
  Values values(ast, scopes, classes, modules);
  values.connect_calls();  // a server may come in as an argument
  const Servers servers = find_servers(ast, scopes, classes, modules, values);
  if (servers.entries.empty() && servers.upgrades.empty()) return;
  for (const ServerEntry& entry : servers.entries) {
    if (entry.connection != 0)
      values.mark_connection(entry.connection, library_facts(entry.library).own_members);
  }
  for (const UpgradeEntry& entry : servers.upgrades) values.mark_connection(entry.socket);
  for (int round = 0; round < 2; round++) values.connect_calls();
  ConnectionScope scope(ast, scopes, classes, values, servers);
  const Acquisitions acquisitions = find_acquisitions(ast, scopes, values);
  Lifecycles lifecycles(ast, scopes, values, scope, acquisitions);
  const ReviewSubject subject{ast,    scopes, classes,      modules,
                              values, scope,  acquisitions, lifecycles};
  RuleFindings findings(subject);
  for (const auto check : {check_lifecycles, check_slots, check_indexes, check_awaits,
                           check_upgrades, check_robustness, check_hygiene})
    check(subject, findings);
  note_servers(subject, findings, review);
  review.bounds = find_size_bounds(subject, findings);
  review.findings = std::move(findings.findings);
  review.checks = std::move(findings.checks);
}

}  // namespace

Review review_files(const std::vector<SourceFile>& files,
                    const std::vector<PathMapping>& mappings) {
  std::vector<SourceFile> sorted = files;
  std::sort(sorted.begin(), sorted.end(),
            [](const SourceFile& a, const SourceFile& b) { return a.path < b.path; });
  Review review;
  review.files = static_cast<std::uint32_t>(sorted.size());
  for (const SourceFile& file : sorted) review.bytes += file.text.size();
  const Parsed parsed = parse_sources(sorted);
  note_unread(parsed, review);
  apply_rules(parsed.ast, mappings, review);
  for (ReviewFinding& finding : review.findings) {
    std::sort(finding.repeats.begin(), finding.repeats.end(),
              [](const SourceSpot& a, const SourceSpot& b) {
                return std::tie(a.path, a.range.line, a.range.column) <
                       std::tie(b.path, b.range.line, b.range.column);
              });
  }
  std::sort(review.findings.begin(), review.findings.end(), reads_before);
  tell_fingerprints_apart(review.findings);
  suppress_marked(parsed.ast, review);
  answer_every_rule(review);
  return review;
}

Review review_tree(const std::vector<SourceFile>& tree) {
  return review_files(sources_in(tree), path_mappings_in(tree));
}

}  // namespace ebbtide
