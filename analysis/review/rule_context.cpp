#include "analysis/review/rule_context.h"

#include <fmt/format.h>

#include <algorithm>

#include "analysis/review/configuration.h"

namespace ebbtide {
namespace {

using enum SyntaxKind;

// The first line a node is on, without the indent.
std::string line_of(const Ast& ast, NodeId node) {
  if (node == 0) return "";
  const AstFile& file = ast.files()[ast.file_of(node)];
  const std::uint32_t start = file.lines.start_of(ast.line(node));
  std::string_view text = file.text.substr(start);
  text = text.substr(0, std::min<std::size_t>(text.find('\n'), 160));
  const auto from = text.find_first_not_of(" \t");
  return from == std::string_view::npos ? "" : std::string(text.substr(from));
}

ReviewMoments moments_told(Moments moments) {
  ReviewMoments told = 0;
  const auto tell = [&](Moments when, ReviewMoments as) {
    if ((moments & when) != 0) told |= as;
  };
  tell(moment::open, review_moment::on_open);
  tell(moment::message, review_moment::on_message);
  tell(moment::request, review_moment::on_request);
  tell(moment::upgrade, review_moment::before_upgrade);
  tell(moment::later, review_moment::later);
  return told;
}

ReviewResource resource_of(const Acquisition& taken) {
  switch (taken.kind) {
    case AcquisitionKind::entry:
      return ReviewResource::entry;
    case AcquisitionKind::listener:
      return ReviewResource::listener;
    case AcquisitionKind::handle:
      break;
  }
  return taken.facts->resource;
}

}  // namespace

std::vector<const ConnectionListener*> ReviewSubject::listeners(Moments of) const {
  std::vector<const ConnectionListener*> found;
  for (const ConnectionListener& listener : scope.listeners()) {
    if ((listener.moments & of) != 0) found.push_back(&listener);
  }
  return found;
}

// The handler around it, or one of its file, or any; an HTTP server beside it hands out requests,
// which end before the connection does.
const ServerEntry* ReviewSubject::entry_near(NodeId node) const {
  const ServerEntry* nearest = nullptr;
  int best = -1;
  for (const ServerEntry& entry : scope.servers().entries) {
    if (entry.connection == 0) continue;
    const int closeness = (ast.contains(entry.handler, node) ? 4 : 0) +
                          (library_facts(entry.library).is_websocket ? 2 : 0) +
                          (ast.file_of(entry.handler) == ast.file_of(node) ? 1 : 0);
    if (closeness <= best) continue;
    best = closeness;
    nearest = &entry;
  }
  return nearest;
}

std::string ReviewSubject::connection_name(NodeId near) const {
  const ServerEntry* entry = entry_near(near);
  return entry == nullptr ? "socket" : std::string(ast.text(entry->connection));
}

const LibraryFacts& ReviewSubject::facts(NodeId near) const {
  const ServerEntry* entry = entry_near(near);
  return library_facts(entry == nullptr ? scope.library() : entry->library);
}

SourceSpot RuleFindings::spot(NodeId node) const {
  if (node == 0) return {};
  return {subject_.ast.files()[subject_.ast.file_of(node)].path, subject_.ast.range(node)};
}

ReviewEvidence RuleFindings::evidence(NodeId node, std::string note) const {
  return {spot(node), line_of(subject_.ast, node), std::move(note)};
}

ReviewOwner RuleFindings::owner(const Place& place, NodeId receiver) const {
  const Ast& ast = subject_.ast;
  ReviewOwner owner;
  owner.type = subject_.values.collection_type(receiver);
  const auto end = place.path.find("[]");
  const std::string fields = place.path.substr(0, end);
  if (place.root == connection_root) {
    owner.path = "connection" + place.path;
  } else if (is_class(ast, place.root) || is_function(ast, place.root)) {
    owner.holder = ast.text(ast.child(place.root, Field::name));
    owner.path = (owner.holder.empty() ? "this" : owner.holder) + place.path;
  } else if (ast.is(place.root, object)) {
    const NodeId named = ast.child(ast.parent(place.root), Field::name);
    const std::string base(named != 0 ? ast.text(named) : std::string_view("object"));
    owner.path = base + place.path;
  } else {
    owner.path = std::string(ast.text(place.root)) + place.path;
    owner.name = ast.text(place.root);
    owner.declared = spot(place.root);
  }
  if (const auto dot = fields.rfind('.'); dot != std::string::npos)
    owner.name = fields.substr(dot + 1);
  if (const ClassMembers* members = subject_.classes.members(place.root)) {
    const auto field = members->fields.find(owner.name);
    if (field != members->fields.end() && !field->second.empty())
      owner.declared = spot(ast.parent(field->second.front()));
  }
  return owner;
}

ReviewOwner RuleFindings::owner(const Acquisition& taken) const {
  ReviewOwner found = owner(taken.owner, taken.receiver);
  if (taken.kind == AcquisitionKind::listener) found.type = "emitter";
  if (taken.kind == AcquisitionKind::handle) found.type = resource_word(taken.facts->resource);
  return found;
}

ReviewFinding* RuleFindings::report(std::string_view rule, const Acquisition& taken,
                                    std::string reason) {
  ReviewFinding* finding = report(rule, taken.node, std::move(reason), owner(taken));
  if (finding != nullptr) finding->resource = resource_of(taken);
  return finding;
}

ReviewFinding* RuleFindings::report(std::string_view rule, NodeId node, std::string reason,
                                    const ReviewOwner& owner) {
  const SourceSpot at = spot(node);
  for (ReviewFinding& known : findings) {
    if (known.rule != rule) continue;
    if (known.at == at) return nullptr;
    const bool same_owner = !owner.path.empty() && known.owner.path == owner.path &&
                            known.owner.declared == owner.declared;
    if (!same_owner) continue;
    known.repeats.push_back(at);
    return nullptr;
  }
  ReviewFinding finding;
  finding.rule = rule;
  finding.severity = review_rule(rule).severity;
  finding.at = at;
  finding.reason = std::move(reason);
  finding.owner = owner;
  finding.condition = configuration_of(subject_.ast, subject_.scopes, node);
  finding.runs = moments_told(subject_.scope.moments(node));
  finding.fingerprint =
      fmt::format("{}:{}:{}", rule, owner.path.empty() ? brief(subject_.ast, node) : owner.path,
                  at.path.substr(at.path.rfind('/') + 1));
  findings.push_back(std::move(finding));
  return &findings.back();
}

void RuleFindings::passed(std::string_view rule, std::string statement,
                          std::vector<ReviewEvidence> evidence) {
  checks.push_back(
      {std::string(rule), CheckOutcome::pass, std::move(statement), std::move(evidence)});
}

void RuleFindings::not_checkable(std::string_view rule, std::string why, NodeId node) {
  checks.push_back(
      {std::string(rule), CheckOutcome::not_checkable, std::move(why), {evidence(node, "")}});
}

}  // namespace ebbtide
