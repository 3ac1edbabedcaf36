#include "analysis/compare/compared_causes.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

namespace ebbtide {
namespace {

// Objects are counted, bytes are a robust slope: a tenth is what that leaves open.
constexpr double retained_share = 0.1;
constexpr double least_retained = 64;
constexpr double count_share = 0.1;
constexpr double confidence = 0.95;

bool grows(const HeapCause& cause) { return !cause.bounded; }

// "server.ts:11 hub (Map)" without ":11": what stays when lines move.
std::string without_lines(const std::string& path) {
  std::string names;
  for (std::size_t i = 0; i < path.size(); ++i) {
    const std::size_t end = std::min(path.find_first_not_of("0123456789", i + 1), path.size());
    if (path[i] == ':' && end > i + 1) {
      i = end - 1;
    } else {
      names += path[i];
    }
  }
  return names;
}

// For each cause of `left` its counterpart in `right`, none of which is taken twice.
std::vector<const HeapCause*> counterparts(const std::vector<HeapCause>& left,
                                           const std::vector<HeapCause>& right) {
  std::vector<const HeapCause*> found(left.size(), nullptr);
  const auto take = [&](const auto& matches) {
    for (std::size_t i = 0; i < left.size(); ++i) {
      if (found[i] != nullptr) continue;
      for (const HeapCause& candidate : right) {
        const bool taken = std::ranges::find(found, &candidate) != found.end();
        if (taken || candidate.isolate != left[i].isolate || !matches(left[i], candidate)) continue;
        found[i] = &candidate;
        break;
      }
    }
  };
  take([](const HeapCause& a, const HeapCause& b) { return a.path_id == b.path_id; });
  take([](const HeapCause& a, const HeapCause& b) {
    return without_lines(a.path) == without_lines(b.path);
  });
  return found;
}

std::string unseen_text(const HeapFindings& heap) {
  if (heap.looks == 0) return "the heap was not looked into";
  return heap.reservation;
}

Change change_of(double before, double after) {
  const double margin = std::max(least_retained, retained_share * std::max(before, after));
  if (std::abs(after - before) <= margin) return Change::same;
  return after > before ? Change::worse : Change::better;
}

// Objects on a path, as a count of the connections between the looks. Of growth that stops, none.
std::optional<Estimate> objects_of(const HeapCause* cause, const HeapFindings& heap) {
  if (!unseen_text(heap).empty() || heap.connections <= 0) return std::nullopt;
  if (cause != nullptr && !grows(*cause)) return std::nullopt;
  const double objects = cause == nullptr ? 0 : std::max(0.0, cause->objects_per_connection);
  const double count = std::round(objects * heap.connections);
  return Estimate{objects, share_interval(count, heap.connections, confidence)};
}

struct FoundCause {
  const HeapCause* cause = nullptr;  // null: not found
  const HeapFindings& heap;
};

PairedFigure objects_figure(const FoundCause& before, const FoundCause& after) {
  PairedFigure figure{.subject = "objects per connection", .measure = Measure::count};
  figure.before = objects_of(before.cause, before.heap);
  figure.after = objects_of(after.cause, after.heap);
  for (const auto& estimate : {figure.before, figure.after}) {
    if (estimate) figure.margin = std::max(figure.margin, count_share * estimate->value);
  }
  weigh(figure);
  return figure;
}

ComparedCause heap_row(const FoundCause& before, const FoundCause& after) {
  const HeapCause& told = after.cause != nullptr ? *after.cause : *before.cause;
  ComparedCause row{.subject = told.path, .user_code = told.user_code};
  if (before.cause != nullptr) row.before = before.cause->retained_per_connection;
  if (after.cause != nullptr) row.after = after.cause->retained_per_connection;
  row.objects = objects_figure(before, after);
  const bool grew = before.cause != nullptr && grows(*before.cause);
  const bool still = after.cause != nullptr && grows(*after.cause);
  if (grew && still) {
    row.change = change_of(*row.before, *row.after);
    const bool counted_alike = row.objects.change == Change::same;
    if (row.change == Change::same && !counted_alike) row.change = row.objects.change;
    if (row.change == Change::not_comparable) row.reason = row.objects.reason;
  } else if (grew) {
    row.change = after.cause == nullptr ? Change::gone : Change::fixed;
    if (after.cause != nullptr) row.reason = "its growth stops";
  } else {
    row.change = Change::appeared;
    if (before.cause != nullptr) row.reason = "its growth stopped before";
  }
  return row;
}

void refuse(ComparedCause& row, const std::string& why) {
  row.change = Change::not_comparable;
  row.reason = why;
}

void add_heap_causes(const HeapFindings& before, const HeapFindings& after,
                     std::vector<ComparedCause>& rows) {
  const std::string unseen_before = unseen_text(before);
  const std::string unseen_after = unseen_text(after);
  const auto later = counterparts(before.causes, after.causes);
  for (std::size_t i = 0; i < before.causes.size(); ++i) {
    const HeapCause& cause = before.causes[i];
    if (!grows(cause) && (later[i] == nullptr || !grows(*later[i]))) continue;
    rows.push_back(heap_row({&cause, before}, {later[i], after}));
    if (!unseen_after.empty()) refuse(rows.back(), "after: " + unseen_after);
  }
  for (const HeapCause& cause : after.causes) {
    if (!grows(cause) || std::ranges::find(later, &cause) != later.end()) continue;
    rows.push_back(heap_row({nullptr, before}, {&cause, after}));
    if (!unseen_before.empty()) refuse(rows.back(), "before: " + unseen_before);
  }
}

struct FoundFault {
  const ReviewFinding* finding = nullptr;
  Standing standing = Standing::possible;
};

std::vector<FoundFault> faults_of(const Causes& causes) {
  std::vector<FoundFault> faults;
  for (const JoinedFinding& joined : causes.join.findings) {
    const ReviewFinding& finding = causes.review.findings[joined.finding];
    if (finding.severity != Severity::info) faults.push_back({&finding, joined.standing});
  }
  return faults;
}

const FoundFault* with_fingerprint(const std::vector<FoundFault>& faults,
                                   const std::string& print) {
  const auto found = std::ranges::find_if(
      faults, [&](const FoundFault& fault) { return fault.finding->fingerprint == print; });
  return found == faults.end() ? nullptr : &*found;
}

ComparedCause review_row(const FoundFault& told) {
  const ReviewFinding& finding = *told.finding;
  return {.evidence = ComparedCause::Evidence::review,
          .subject = fmt::format("{}:{} {}: {}", finding.at.path, finding.at.range.line,
                                 finding.rule, finding.reason)};
}

void add_findings(const Causes& before, const Causes& after, std::vector<ComparedCause>& rows) {
  const std::vector<FoundFault> earlier = faults_of(before);
  const std::vector<FoundFault> later = faults_of(after);
  const std::string unread = "no source was read ";
  for (const FoundFault& fault : earlier) {
    const FoundFault* twin = with_fingerprint(later, fault.finding->fingerprint);
    ComparedCause row = review_row(twin != nullptr ? *twin : fault);
    row.change = twin == nullptr                   ? Change::gone
                 : twin->standing < fault.standing ? Change::worse
                 : fault.standing < twin->standing ? Change::better
                                                   : Change::same;
    row.reason = std::string(standing_name(fault.standing)) + " before";
    if (twin != nullptr) row.reason += ", " + std::string(standing_name(twin->standing)) + " after";
    if (after.review.files == 0) refuse(row, unread + "after");
    rows.push_back(std::move(row));
  }
  for (const FoundFault& fault : later) {
    if (with_fingerprint(earlier, fault.finding->fingerprint) != nullptr) continue;
    ComparedCause row = review_row(fault);
    row.change = Change::appeared;
    row.reason = std::string(standing_name(fault.standing)) + " after";
    if (before.review.files == 0) refuse(row, unread + "before");
    rows.push_back(std::move(row));
  }
}

}  // namespace

std::vector<ComparedCause> compare_causes(const Causes& before, const Causes& after) {
  std::vector<ComparedCause> rows;
  add_heap_causes(before.heap, after.heap, rows);
  add_findings(before, after, rows);
  return rows;
}

}  // namespace ebbtide
