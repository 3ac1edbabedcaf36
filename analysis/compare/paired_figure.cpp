#include "analysis/compare/paired_figure.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <limits>

#include "analysis/format.h"

namespace ebbtide {
namespace {

bool is_finite(const Estimate& estimate) {
  return std::isfinite(estimate.value) &&
         (!estimate.interval ||
          (std::isfinite(estimate.interval->low) && std::isfinite(estimate.interval->high)));
}

// What is missing, or damaged, says so and is not compared.
bool is_measured(std::optional<Estimate>& estimate) {
  if (estimate && !is_finite(*estimate)) estimate.reset();
  return estimate.has_value();
}

std::string missing_text(bool before, bool after) {
  if (!before && !after) return "measured in neither run";
  return before ? "not measured after" : "not measured before";
}

}  // namespace

std::string_view change_name(Change change) {
  switch (change) {
    case Change::same:
      return "same";
    case Change::better:
      return "better";
    case Change::fixed:
      return "fixed";
    case Change::worse:
      return "worse";
    case Change::appeared:
      return "new";
    case Change::gone:
      return "gone";
    case Change::not_comparable:
      break;
  }
  return "not comparable";
}

std::string_view change_title(Change change) {
  switch (change) {
    case Change::same:
      return "SAME";
    case Change::better:
      return "BETTER";
    case Change::fixed:
      return "FIXED";
    case Change::worse:
      return "WORSE";
    case Change::appeared:
      return "NEW";
    case Change::gone:
      return "GONE";
    case Change::not_comparable:
      break;
  }
  return "NOT COMPARABLE";
}

std::string measure_text(double value, Measure measure) {
  switch (measure) {
    case Measure::bytes:
      return bytes_text(value);
    case Measure::count:
      return count_text(value);
    case Measure::seconds:
      return duration_text(value);
    case Measure::per_second:
      return count_text(value) + "/s";
    case Measure::share:
      break;
  }
  return count_text(value * 100) + " %";
}

std::string difference_text(double value, Measure measure) {
  const std::string size = measure_text(std::abs(value), measure);
  if (size == measure_text(0, measure)) return size;
  return (value < 0 ? "−" : "+") + size;
}

std::string difference_text(const Interval& interval, Measure measure) {
  return fmt::format("{} to {}", difference_text(interval.low, measure),
                     difference_text(interval.high, measure));
}

Interval difference_interval(const Estimate& before, const Estimate& after) {
  const Interval first = before.interval.value_or(Interval{before.value, before.value});
  const Interval second = after.interval.value_or(Interval{after.value, after.value});
  const double difference = after.value - before.value;
  return {difference - std::hypot(after.value - second.low, first.high - before.value),
          difference + std::hypot(second.high - after.value, before.value - first.low)};
}

void weigh(PairedFigure& figure) {
  const bool before = is_measured(figure.before);
  const bool after = is_measured(figure.after);
  figure.change = Change::not_comparable;
  if (!before || !after) {
    if (figure.reason.empty()) figure.reason = missing_text(before, after);
    return;
  }
  figure.difference = difference_interval(*figure.before, *figure.after);
  const Interval loss = figure.more_is_better
                            ? Interval{-figure.difference->high, -figure.difference->low}
                            : *figure.difference;
  if (loss.low > figure.margin) {
    figure.change = Change::worse;
  } else if (loss.high < -figure.margin) {
    figure.change = Change::better;
  } else if (loss.low >= -figure.margin && loss.high <= figure.margin) {
    figure.change = Change::same;
  } else if (figure.reason.empty()) {
    figure.reason = fmt::format(
        "the interval of the difference reaches beyond {}, to which two "
        "runs of one server may differ",
        measure_text(figure.margin, figure.measure));
  }
}

double weight_of(const PairedFigure& figure) {
  if (!figure.difference) return 0;
  const double size = std::abs(figure.after->value - figure.before->value);
  if (figure.margin > 0) return size / figure.margin;
  return size > 0 ? std::numeric_limits<double>::max() : 0;
}

}  // namespace ebbtide
