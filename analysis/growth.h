// Answers: how much of a floor's growth belongs to each connection, and how sure is that? A
// designed run varies its doses and idles, so growth by the connection, by the cycle and by the
// second are three columns of one regression; docs/method.md derives it.
#pragma once

#include <cstddef>
#include <span>
#include <vector>

#include "analysis/statistics.h"

namespace ebbtide {

// Which growth a fit lets cycles and the clock have; the rest is the connections'.
struct GrowthColumns {
  bool late = false;        // what the last dose leaves until the next one replaces it
  bool per_cycle = false;   // the same for every cycle with connections, whatever its dose
  bool per_second = false;  // the clock's
  // So many leading steps have a growth per connection of their own, and what is asked for is by
  // how much it exceeds that of the later ones; 0: all are alike.
  std::size_t before = 0;

  [[nodiscard]] std::size_t count() const {
    return 1U + (before > 0) + late + per_cycle + per_second;
  }
};

// The columns that the steps can tell apart: cycles and late release need three doses, the clock
// idle steps; each needs steps to spare.
GrowthColumns separable_columns(std::span<const FloorStep> steps);

// What is known of the growth per connection: a mixture of Student's t, one for each assumption on
// how a step hangs together with the next.
class GrowthEstimate {
 public:
  struct Component {
    double weight = 0;
    double center = 0;
    double scale = 0;
  };

  GrowthEstimate() = default;
  GrowthEstimate(std::vector<Component> components, double freedom);

  [[nodiscard]] bool known() const { return !components_.empty(); }
  [[nodiscard]] double center() const;
  [[nodiscard]] Interval interval(double confidence) const;
  // Below which value the growth lies with this probability.
  [[nodiscard]] double quantile(double probability) const;

 private:
  std::vector<Component> components_;
  double freedom_ = 1;
};

struct GrowthFit {
  GrowthEstimate per_connection;
  double late = 0;  // of each connection of the last dose
  double per_cycle = 0;
  double per_second = 0;
};

// Generalised least squares on the steps. A settled reading that is off shows in two neighbouring
// steps with opposite signs; memory that really came or went shows in one: the correlation of
// neighbours is between −0.5 and 0, more when growth has momentum. Each value on a grid is weighted
// by its restricted likelihood (Patterson and Thompson 1971) and the answers are averaged. Steps
// far off the rest weigh less (Huber 1964). `resolution` is the least noise of a reading. Nothing
// is known with fewer than two steps more than columns.
GrowthFit fit_growth(std::span<const FloorStep> steps, GrowthColumns columns, double resolution);

// How many cycles, of `steps` from the baseline on, idle ones too, are warm-up. The first always;
// then up to the change point: where growth per connection before and after differ most, believed
// when before is more with 99 %. What follows is looked at again. A third of the cycles, and four,
// always stay.
std::size_t warm_up_cycles(std::span<const FloorStep> steps, double resolution);

}  // namespace ebbtide
