#include "analysis/causes/review_join.h"

#include <fmt/format.h>

#include <algorithm>
#include <optional>
#include <tuple>

#include "analysis/causes/owner_match.h"
#include "analysis/causes/script_files.h"
#include "analysis/causes/surviving_kinds.h"
#include "analysis/format.h"

namespace ebbtide {
namespace {

bool is_leak_rule(const ReviewFinding& finding) {
  return review_rule(finding.rule).family == RuleFamily::leak;
}

class ReviewJoiner {
 public:
  ReviewJoiner(const Recording& recording, const Assessment& assessment, const HeapFindings& heap,
               const Review& review)
      : recording_(recording),
        assessment_(assessment),
        heap_(heap),
        review_(review),
        scripts_(recording.source_files),
        owners_(recording, scripts_) {}

  ReviewJoin run() {
    join_.findings.resize(review_.findings.size());
    for (std::size_t i = 0; i < join_.findings.size(); ++i) join_.findings[i].finding = i;
    for (std::size_t i = 0; i < heap_.causes.size(); ++i) join_cause(i);
    confirm_by_kind();
    for (JoinedFinding& joined : join_.findings) {
      if (joined.because.empty()) leave_standing(joined);
    }
    sort();
    return std::move(join_);
  }

 private:
  void join_cause(std::size_t index);
  [[nodiscard]] std::pair<Match, std::size_t> match(const HeapCause& cause,
                                                    const ReviewFinding& finding) const;
  [[nodiscard]] bool keeps_closure(const HeapCause& cause, const ReviewFinding& finding) const;
  void confirm(JoinedFinding& joined, std::size_t cause);
  void confirm_by_kind();
  void leave_standing(JoinedFinding& joined) const;
  [[nodiscard]] std::string what_the_run_shows(const ReviewFinding& finding) const;
  void sort();

  const Recording& recording_;
  const Assessment& assessment_;
  const HeapFindings& heap_;
  const Review& review_;
  ScriptFiles scripts_;
  OwnerMatch owners_;
  ReviewJoin join_;
};

// Of the findings that match best, the most serious is the one that the measurement confirms; the
// others of its owner are mended with it.
void ReviewJoiner::join_cause(std::size_t index) {
  const HeapCause& cause = heap_.causes[index];
  using Rank = std::tuple<Match, std::size_t, bool, Severity>;
  std::optional<std::size_t> best;
  Rank best_rank;
  for (std::size_t i = 0; i < review_.findings.size(); ++i) {
    const ReviewFinding& finding = review_.findings[i];
    const auto [match_kind, depth] = match(cause, finding);
    if (match_kind == Match::none) continue;
    const Rank rank{match_kind, depth, is_leak_rule(finding), finding.severity};
    if (best && rank <= best_rank) continue;
    best = i;
    best_rank = rank;
  }
  if (best)
    confirm(join_.findings[*best], index);
  else if (!cause.bounded)
    join_.unexplained.push_back(index);
}

std::pair<Match, std::size_t> ReviewJoiner::match(const HeapCause& cause,
                                                  const ReviewFinding& finding) const {
  if (!is_leak_rule(finding)) return {Match::none, 0};
  const auto best = owners_.match(cause, finding.owner);
  if (best.first < Match::closure && keeps_closure(cause, finding)) return {Match::closure, 0};
  return best;
}

bool ReviewJoiner::keeps_closure(const HeapCause& cause, const ReviewFinding& finding) const {
  return std::ranges::any_of(finding.closures, [&](const SourceSpot& closure) {
    return std::ranges::any_of(cause.companions, [&](const HeapCause::Companion& companion) {
      return scripts_.is_at(companion.position, closure);
    });
  });
}

void ReviewJoiner::confirm(JoinedFinding& joined, std::size_t index) {
  const HeapCause& cause = heap_.causes[index];
  joined.causes.push_back(index);
  joined.retained_per_connection += cause.retained_per_connection;
  if (!joined.because.empty()) return;
  const std::string measured = fmt::format("{} {} per connection kept by {}, {} retained",
                                           count_text(cause.objects_per_connection), cause.content,
                                           cause.path, bytes_text(cause.retained_per_connection));
  if (cause.bounded) {
    joined.standing = Standing::possible;
    joined.because = "the run saw " + measured + ", but the growth slowed down or stopped";
  } else {
    joined.standing = Standing::confirmed;
    joined.because = measured;
  }
}

// A surviving socket, process or thread has no name in a heap. One finding that explains it is the
// cause; with several it is one of them.
void ReviewJoiner::confirm_by_kind() {
  for (const SurvivingKind& kind : surviving_kinds(recording_, assessment_)) {
    std::vector<JoinedFinding*> candidates;
    for (JoinedFinding& joined : join_.findings) {
      const ReviewFinding& finding = review_.findings[joined.finding];
      const bool explains =
          is_leak_rule(finding) &&
          std::ranges::find(kind.resources, finding.resource) != kind.resources.end();
      if (explains) candidates.push_back(&joined);
    }
    const bool explained = std::ranges::any_of(candidates, [](const JoinedFinding* joined) {
      return joined->standing == Standing::confirmed && !joined->because.empty();
    });
    if (explained) continue;
    for (JoinedFinding* joined : candidates) {
      if (!joined->because.empty()) continue;
      joined->standing = candidates.size() == 1 ? Standing::confirmed : Standing::likely;
      joined->because =
          (candidates.size() == 1 ? "" : "one of several that explain what was measured: ") +
          kind.sentence;
    }
  }
}

void ReviewJoiner::leave_standing(JoinedFinding& joined) const {
  const ReviewFinding& finding = review_.findings[joined.finding];
  const bool certain = finding.severity == Severity::error && finding.condition.empty();
  joined.standing = certain ? Standing::likely : Standing::possible;
  if (!is_leak_rule(finding)) {
    joined.because = "this run does not put it to the test";
    return;
  }
  const auto same_owner = std::ranges::find_if(join_.findings, [&](const JoinedFinding& other) {
    const ReviewOwner& owner = review_.findings[other.finding].owner;
    return other.standing == Standing::confirmed && !other.because.empty() &&
           other.finding != joined.finding && !owner.name.empty() &&
           owner.path == finding.owner.path && owner.declared == finding.owner.declared;
  });
  if (same_owner != join_.findings.end()) {
    joined.because = fmt::format("what {} holds was measured under {}", finding.owner.path,
                                 review_.findings[same_owner->finding].rule);
    return;
  }
  joined.because = what_the_run_shows(finding);
  if (joined.because.starts_with("not confirmed")) joined.standing = Standing::possible;
}

// Said of a finding that nothing measured matches: was it put to the test?
std::string ReviewJoiner::what_the_run_shows(const ReviewFinding& finding) const {
  if (!finding.condition.empty())
    return fmt::format("this run cannot tell whether {}", finding.condition);
  if (assessment_.connections == 0) return "this run established no connection";
  const std::string connections = counted(assessment_.connections, "connection");
  const bool of_heap =
      finding.resource == ReviewResource::entry || finding.resource == ReviewResource::listener ||
      finding.resource == ReviewResource::timer || finding.resource == ReviewResource::subscription;
  if (of_heap && heap_.looks == 0) return "this run could not look into the JavaScript heap";
  if (of_heap && !heap_.reservation.empty()) return "this run could not tell: " + heap_.reservation;
  if ((finding.runs & review_moment::on_open) != 0)
    return fmt::format("not confirmed: {} went through this code, and nothing it takes stayed",
                       connections);
  if ((finding.runs & review_moment::on_message) == 0) return "this run does not take this path";
  if (recording_.run.plan.steps.empty()) return "this run sent no messages, so it did not run";
  return fmt::format(
      "not confirmed: {} sent this run's messages, and if these lead here, nothing it takes stayed",
      connections);
}

void ReviewJoiner::sort() {
  std::ranges::stable_sort(join_.findings, [&](const JoinedFinding& a, const JoinedFinding& b) {
    const auto rank = [&](const JoinedFinding& joined) {
      const ReviewFinding& finding = review_.findings[joined.finding];
      return std::tuple(joined.standing, -joined.retained_per_connection,
                        -static_cast<int>(finding.severity), !is_leak_rule(finding));
    };
    return rank(a) < rank(b);
  });
}

}  // namespace

std::string_view standing_name(Standing standing) {
  switch (standing) {
    case Standing::confirmed:
      return "confirmed";
    case Standing::likely:
      return "likely";
    case Standing::possible:
      break;
  }
  return "possible";
}

ReviewJoin join_review(const Recording& recording, const Assessment& assessment,
                       const HeapFindings& heap, const Review& review) {
  return ReviewJoiner(recording, assessment, heap, review).run();
}

}  // namespace ebbtide
