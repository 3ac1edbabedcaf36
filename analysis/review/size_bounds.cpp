#include "analysis/review/size_bounds.h"

#include <fmt/format.h>

#include <algorithm>
#include <string>

#include "analysis/review/library_facts.h"

namespace ebbtide {
namespace {

// The condition under which the statement runs its body; 0 when it is no such statement.
NodeId condition_of(const Ast& ast, NodeId statement) {
  const SyntaxKind kind = ast.kind(statement);
  const bool asks = kind == SyntaxKind::if_statement || kind == SyntaxKind::while_statement ||
                    kind == SyntaxKind::do_statement;
  return asks ? ast.child(statement, Field::condition) : 0;
}

// Does it ask whether the receiver has become too large? `> 0` only asks whether there is any.
bool asks_for_size(const Ast& ast, NodeId condition, std::string_view receiver) {
  bool found = false;
  walk(ast, condition, [&](NodeId node) {
    if (!ast.is(node, SyntaxKind::binary_expression)) return true;
    const std::string_view text = ast.text(node);
    const NodeId left = ast.child(node, Field::left);
    const NodeId right = ast.child(node, Field::right);
    const bool greater = text.find('>') != std::string_view::npos;
    const NodeId size = greater ? left : right;
    const NodeId limit = greater ? right : left;
    const std::string_view of = ast.text(size);
    const bool measured =
        of == fmt::format("{}.size", receiver) || of == fmt::format("{}.length", receiver);
    const bool compares = greater || text.find('<') != std::string_view::npos;
    const std::string_view most = ast.text(limit);
    found = found || (measured && compares && most != "0" && most != "1");
    return true;
  });
  return found;
}

// Whether a cache that is made so has its size limited: what it is made with, or 0.
NodeId limit_of(const ReviewSubject& subject, NodeId making) {
  const Ast& ast = subject.ast;
  const std::string made = subject.values.external(making);
  if (made.empty()) return 0;
  const NodeId first = argument(ast, making, 0);
  if (first == 0) return 0;
  const ClassMembers* options = subject.classes.members(subject.values.instance(first));
  for (const BoundedCache& cache : bounded_caches()) {
    if (cache.made != made) continue;
    if (cache.limits.empty() && options == nullptr) return first;
    const bool limited =
        options != nullptr && std::ranges::any_of(cache.limits, [&](std::string_view limit) {
          return options->fields.contains(limit);
        });
    if (limited) return first;
  }
  return 0;
}

// Where what was just made is held.
Place holder_of(const ReviewSubject& subject, NodeId making) {
  const Ast& ast = subject.ast;
  if (const NodeId slot = slot_of(ast, making); slot != 0) return subject.values.place(slot);
  const NodeId around = ast.parent(making);
  if (!ast.is_any(around, SyntaxKind::field_definition, SyntaxKind::public_field_definition))
    return {};
  NodeId name = ast.child(around, Field::name);
  if (name == 0) name = ast.child(around, Field::property);
  return {class_above(ast, around), "." + std::string(ast.text(name))};
}

void add(std::vector<SizeBound>& bounds, SizeBound bound) {
  if (std::ranges::find(bounds, bound) == bounds.end()) bounds.push_back(std::move(bound));
}

}  // namespace

std::vector<SizeBound> find_size_bounds(const ReviewSubject& subject, const RuleFindings& spots) {
  const Ast& ast = subject.ast;
  std::vector<SizeBound> bounds;
  for (const Release& release : subject.acquisitions.released) {
    if (release.kind != AcquisitionKind::entry || release.receiver == 0) continue;
    const std::string_view receiver = ast.text(release.receiver);
    for (NodeId at = release.node; at != 0 && !is_function(ast, at); at = ast.parent(at)) {
      const NodeId condition = condition_of(ast, at);
      if (condition == 0 || !asks_for_size(ast, condition, receiver)) continue;
      add(bounds, {spots.owner(release.owner, release.receiver), spots.spot(at),
                   std::string(ast.text(condition))});
      break;
    }
  }
  for (const NodeId making : subject.values.calls()) {
    const NodeId limit = limit_of(subject, making);
    if (limit == 0) continue;
    const Place place = holder_of(subject, making);
    if (!place.known()) continue;
    add(bounds, {spots.owner(place, making), spots.spot(making), std::string(ast.text(limit))});
  }
  return bounds;
}

}  // namespace ebbtide
