// Answers: from which growth on is it a leak, and which gauges have a say? All numbers of the
// verdict's rule are in thresholds.cpp, each with its reason; docs/method.md discusses them.
#pragma once

#include <string>
#include <vector>

#include "analysis/series.h"
#include "recording/names.h"
#include "recording/run.h"

namespace ebbtide {

// Clean servers grow a little over a whole run, whatever the number of connections, so a limit is
// that growth shared among them: longer runs see smaller leaks, down to `per_connection`.
struct Threshold {
  double per_connection = 0;
  double whole_run = 0;

  [[nodiscard]] double limit(double connections) const;
  bool operator==(const Threshold&) const = default;
};

enum class Role : std::uint8_t {
  decides,
  decides_when_steady,  // a leak only, and only one that shows in every third of the run
  shown,
};

struct GaugeRule {
  GaugeKind gauge = GaugeKind::rss;
  std::string subject;
  std::vector<GaugeTerm> terms;
  Threshold threshold;    // the most that a run may leave undetected and still be called clean
  Threshold clean;        // what a run of a clean server ends with, noise aside
  Threshold leak;         // what the worst clean server grew by: a leak must stand clear of it
  double resolution = 0;  // least noise of one reading, in the gauge's unit
  Role role = Role::decides;
  std::string aside;  // why it does not decide, a sentence part
};

// Whether memory is V8's: then only a forced GC makes its level mean anything.
bool is_v8(const Recording& recording);

// Whether the gauge was ever read at a settle point.
bool was_read(const Recording& recording, GaugeKind kind);

// One rule per gauge that was read, the most telling first.
std::vector<GaugeRule> gauge_rules(const Recording& recording);

struct KindRule {
  ResourceKind kind = ResourceKind::accepted_socket;
  std::string subject;  // plural noun
  Threshold threshold;
  Role role = Role::decides;
  std::string aside;
};

KindRule kind_rule(const Recording& recording, ResourceKind kind);

}  // namespace ebbtide
