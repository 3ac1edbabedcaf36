// Answers: did a figure that two runs measured get better, worse, or stay as it was? One rule for
// every figure; docs/method.md derives it.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "analysis/statistics.h"

namespace ebbtide {

enum class Change : std::uint8_t {
  same,
  better,
  fixed,  // better, and the fault is no more
  worse,
  appeared,  // a cause that was not there before
  gone,      // a cause that is there no more
  not_comparable,
};

std::string_view change_name(Change change);   // "worse", "new", "not comparable"
std::string_view change_title(Change change);  // "WORSE"

enum class Measure : std::uint8_t { bytes, count, seconds, per_second, share };

std::string measure_text(double value, Measure measure);     // "67.1 KB", "99.8 %"
std::string difference_text(double value, Measure measure);  // the same with its sign: "+1.2 ms"
std::string difference_text(const Interval& interval, Measure measure);  // "−67.4 KB to −66.6 KB"

struct Estimate {
  double value = 0;
  std::optional<Interval> interval = {};  // of the same confidence as the other run's
};

struct PairedFigure {
  std::string subject;  // "V8 heap used", "p99 until established, 500 connections"
  std::string noun =
      {};  // what a connection leaves: "V8 heap"; "" when the figure is none of those
  Measure measure = Measure::bytes;
  bool more_is_better = false;
  bool decisive = true;                 // false: shown, but has no say
  std::optional<Estimate> before = {};  // absent: not measured, or too little to go by
  std::optional<Estimate> after = {};
  double margin = 0;  // a change of less is none: two runs of one server differ by as much
  std::optional<Interval> difference = {};  // after - before
  Change change = Change::not_comparable;
  std::string reason = {};  // a sentence part: why not comparable, or a remark
};

// Interval of after - before for independent estimates, from each one's own (MOVER: Zou and Donner
// 2008). Estimates without an interval count as exact.
Interval difference_interval(const Estimate& before, const Estimate& after);

// Settles `difference` and `change`: worse or better when the whole interval of the difference lies
// beyond the margin, the same when it lies within, else not comparable.
void weigh(PairedFigure& figure);

// By how many margins the figure changed; 0 when not comparable.
double weight_of(const PairedFigure& figure);

}  // namespace ebbtide
