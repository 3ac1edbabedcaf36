#include "analysis/causes/owner_match.h"

#include <algorithm>
#include <vector>

namespace ebbtide {

OwnerMatch::OwnerMatch(const Recording& recording, const ScriptFiles& scripts) : scripts_(scripts) {
  for (const HeapPath& row : recording.heap_paths) path_of_.emplace(row.id, &row);
}

std::pair<Match, std::size_t> OwnerMatch::match(const HeapCause& cause,
                                                const ReviewOwner& owner) const {
  std::vector<const HeapPath*> steps;  // innermost first
  for (auto at = path_of_.find(cause.path_id);
       at != path_of_.end() && steps.size() <= path_of_.size();
       at = path_of_.find(at->second->parent))
    steps.push_back(at->second);
  std::pair<Match, std::size_t> best{Match::none, 0};
  for (std::size_t i = 0; i < steps.size(); ++i) {
    const HeapPath* parent = i + 1 < steps.size() ? steps[i + 1] : nullptr;
    best = std::max(best, {match_step(*steps[i], parent, owner), steps.size() - i});
  }
  return best;
}

Match OwnerMatch::match_step(const HeapPath& step, const HeapPath* parent,
                             const ReviewOwner& owner) const {
  if (owner.name.empty() || step.edge != owner.name) return Match::none;
  const bool named = step.step == PathStep::variable || step.step == PathStep::property ||
                     step.step == PathStep::global;
  if (!named) return Match::none;
  if (const SourceFile* file = scripts_.file_of(step.position.script)) {
    if (file->path != owner.declared.path) return Match::none;
    // A variable of that name is declared elsewhere in the file too.
    const bool elsewhere = step.step == PathStep::variable && owner.holder.empty() &&
                           owner.declared.range.line != 0 && step.position.line != 0 &&
                           step.position.line != owner.declared.range.line;
    return elsewhere ? Match::none : Match::place;
  }
  if (!owner.holder.empty()) {
    const bool of_holder =
        parent != nullptr &&
        parent->class_name.substr(0, parent->class_name.find(" @ ")) == owner.holder;
    return of_holder ? Match::place : Match::none;
  }
  return Match::name;
}

}  // namespace ebbtide
