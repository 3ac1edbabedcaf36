#include "analysis/compare/comparison_sentence.h"

#include <fmt/format.h>

#include <algorithm>

#include "analysis/format.h"

namespace ebbtide {
namespace {

bool has_change(const PairedFigure& figure, Change change) {
  return figure.decisive && figure.change == change;
}

// The decisive figure with that change that changed most; nullptr without one.
const PairedFigure* telling(const Comparison& comparison, Change change) {
  const PairedFigure* most = nullptr;
  for (const PairedFigure& figure : comparison.figures) {
    if (!has_change(figure, change)) continue;
    if (most == nullptr || weight_of(figure) > weight_of(*most)) most = &figure;
  }
  return most;
}

std::string left(double value, const PairedFigure& figure) {
  const std::string of = figure.measure == Measure::bytes ? " of " : " ";
  return measure_text(value, figure.measure) + of + figure.noun;
}

std::string basis(const PairedFigure& figure) {
  const bool interval = figure.before->interval || figure.after->interval;
  if (!interval) return "";
  return fmt::format(" (95 % interval of the difference {})",
                     difference_text(*figure.difference, figure.measure));
}

std::string told(const PairedFigure& figure) {
  const double before = figure.before->value;
  const double after = figure.after->value;
  const std::string now = measure_text(after, figure.measure);
  if (figure.noun.empty()) {
    return fmt::format("{}: {}, {} before{}", figure.subject, now,
                       measure_text(before, figure.measure), basis(figure));
  }
  if (figure.change == Change::fixed) {
    return fmt::format("each connection no longer leaves {} behind, but {}{}", left(before, figure),
                       now, basis(figure));
  }
  return fmt::format("each connection leaves {} behind, {} before{}", left(after, figure),
                     measure_text(before, figure.measure), basis(figure));
}

std::size_t count_of(const Comparison& comparison, Change change) {
  return static_cast<std::size_t>(std::ranges::count_if(
      comparison.figures,
      [change](const PairedFigure& figure) { return has_change(figure, change); }));
}

// The cause that explains it, in a few words.
std::string cause_clause(const Comparison& comparison, Change change) {
  for (const ComparedCause& cause : comparison.causes) {
    if (cause.evidence != ComparedCause::Evidence::heap || !cause.user_code) continue;
    if (cause.change == change) return fmt::format("; {}: {}", change_name(change), cause.subject);
  }
  return "";
}

std::string same_text(const Comparison& comparison) {
  const PairedFigure* most = telling(comparison, Change::same);
  if (most == nullptr) return "";
  std::string text = "no figure changed by more than two runs of one server may differ";
  const auto first = std::ranges::find_if(comparison.figures, [](const PairedFigure& figure) {
    return has_change(figure, Change::same) && figure.noun == "V8 heap";
  });
  text += "; " + told(first == comparison.figures.end() ? *most : *first);
  const std::size_t open = count_of(comparison, Change::not_comparable);
  if (open > 0) text += fmt::format("; {} not comparable", counted(open, "figure"));
  return text;
}

std::string undecided_text(const Comparison& comparison) {
  const auto figure = std::ranges::find_if(comparison.figures, [](const PairedFigure& row) {
    return has_change(row, Change::not_comparable);
  });
  if (figure == comparison.figures.end()) return "nothing was measured that could decide";
  return figure->subject + " – " + figure->reason;
}

std::string changed_text(const Comparison& comparison) {
  const bool worse = comparison.overall == Change::worse;
  const PairedFigure* first = telling(comparison, worse ? Change::worse : Change::fixed);
  if (first == nullptr && !worse) first = telling(comparison, Change::better);
  std::string text = first == nullptr ? "" : told(*first);
  for (const Change change : {Change::gone, Change::appeared}) {
    text += cause_clause(comparison, change);
  }
  const std::size_t improved =
      count_of(comparison, Change::better) + count_of(comparison, Change::fixed);
  if (worse && improved > 0) {
    const PairedFigure* fixed = telling(comparison, Change::fixed);
    text +=
        "; better: " + (fixed != nullptr ? *fixed : *telling(comparison, Change::better)).subject;
  }
  return text;
}

}  // namespace

std::string comparison_sentence(const Comparison& comparison, const std::string& why) {
  std::string text = why;
  if (text.empty()) {
    switch (comparison.overall) {
      case Change::same:
        text = same_text(comparison);
        break;
      case Change::not_comparable:
        text = undecided_text(comparison);
        break;
      default:
        text = changed_text(comparison);
    }
  }
  if (text.starts_with("; ")) text.erase(0, 2);
  return fmt::format("{}: {}.", change_title(comparison.overall), text);
}

}  // namespace ebbtide
