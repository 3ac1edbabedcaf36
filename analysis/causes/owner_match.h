// Answers: is the variable or field that the source names the one by which a heap keeps something?
#pragma once

#include <cstddef>
#include <cstdint>
#include <unordered_map>
#include <utility>

#include "analysis/causes/script_files.h"
#include "analysis/heap/growth.h"
#include "analysis/review/review.h"
#include "recording/run.h"

namespace ebbtide {

// How the two were found to be the same; more is stronger. `closure`: by a function that is kept.
enum class Match : std::uint8_t { none, name, closure, place };

class OwnerMatch {
 public:
  // Both outlive this.
  OwnerMatch(const Recording& recording, const ScriptFiles& scripts);

  // The best over the steps of the cause's path, and how deep the matching step lies: the one next
  // to what grows is where it is to be mended.
  [[nodiscard]] std::pair<Match, std::size_t> match(const HeapCause& cause,
                                                    const ReviewOwner& owner) const;

 private:
  [[nodiscard]] Match match_step(const HeapPath& step, const HeapPath* parent,
                                 const ReviewOwner& owner) const;

  const ScriptFiles& scripts_;
  std::unordered_map<std::uint64_t, const HeapPath*> path_of_;
};

}  // namespace ebbtide
