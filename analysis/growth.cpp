#include "analysis/growth.h"

#include <algorithm>
#include <array>
#include <boost/math/distributions/students_t.hpp>
#include <boost/math/tools/toms748_solve.hpp>
#include <cmath>
#include <numeric>
#include <optional>
#include <set>

namespace ebbtide {
namespace {

constexpr std::size_t most_columns = 5;
constexpr std::size_t spare_steps = 3;
// How neighbouring steps may hang together, and how likely that is beforehand. A level around which
// memory comes and goes is what a server that gives everything back has: that one is the likeliest.
struct Correlation {
  double rho = 0;
  double prior = 1;
};
constexpr std::array correlations = {Correlation{-0.5, 3}, Correlation{-0.4}, Correlation{-0.3},
                                     Correlation{-0.2},    Correlation{-0.1}, Correlation{0.0},
                                     Correlation{0.1},     Correlation{0.2},  Correlation{0.3}};
constexpr int robust_rounds = 4;
constexpr double huber_reach = 2.5;          // scaled MADs; a step farther off weighs less
constexpr double likely_correlation = -0.3;  // good enough to find where a change may be
constexpr double change_doubt = 0.01;        // that it is none
constexpr std::size_t cycles_kept = 4;
constexpr std::size_t changes_at_most = 64;  // that are looked at, however long a run is
constexpr double least_share = 0.3;          // of the standard deviation: what the MAD is at least

// Without long doubles, whose digits a verdict has no use for and which take four times as long.
using StudentsT = boost::math::students_t_distribution<
    double, boost::math::policies::policy<boost::math::policies::promote_double<false>>>;

using Row = std::array<double, most_columns + 1>;  // the columns, then the growth

// One weighted fit under one correlation of neighbours.
struct Fit {
  std::array<double, most_columns> slopes{};
  double variance_of_first = 0;  // of the first slope, for noise of variance 1
  double squares = 0;            // of the whitened residuals
  double log_determinants = 0;
};

// Makes rows independent whose neighbours correlate by `rho`: forward substitution with the
// Cholesky factor of a tridiagonal matrix. Returns the log of that matrix's determinant.
double whiten(std::vector<Row>& rows, double rho) {
  double log_determinant = 0;
  double diagonal = 1;
  double below = 0;
  for (std::size_t i = 0; i < rows.size(); ++i) {
    if (i > 0) {
      below = rho / diagonal;
      diagonal = std::sqrt(std::max(1e-9, 1 - below * below));
    }
    for (std::size_t c = 0; c < rows[i].size(); ++c) {
      const double carried = i > 0 ? below * rows[i - 1][c] : 0;
      rows[i][c] = (rows[i][c] - carried) / diagonal;
    }
    log_determinant += 2 * std::log(diagonal);
  }
  return log_determinant;
}

// Least squares by modified Gram–Schmidt, the last column first, so that what the first one shares
// with others is theirs. Nothing when a column is a combination of the others.
std::optional<Fit> least_squares(std::vector<Row>& rows, std::size_t columns) {
  Fit fit;
  std::array<std::array<double, most_columns + 1>, most_columns> upper{};
  for (std::size_t step = 0; step < columns; ++step) {
    const std::size_t c = columns - 1 - step;
    double before = 0;
    for (const Row& row : rows) before += row[c] * row[c];
    if (before <= 1e-20) return std::nullopt;
    fit.log_determinants += std::log(before);
    for (std::size_t other = 0; other <= most_columns; ++other) {
      if (other != most_columns && other >= c) continue;
      double dot = 0;
      for (const Row& row : rows) dot += row[c] * row[other];
      upper[c][other] = dot / before;
      double left = 0;
      double had = 0;
      for (Row& row : rows) {
        had += row[other] * row[other];
        row[other] -= upper[c][other] * row[c];
        left += row[other] * row[other];
      }
      if (other != most_columns && left <= 1e-9 * had) return std::nullopt;
    }
    if (c == 0) fit.variance_of_first = 1 / before;
  }
  for (std::size_t c = 0; c < columns; ++c) {
    fit.slopes[c] = upper[c][most_columns];
    for (std::size_t other = 0; other < c; ++other) {
      fit.slopes[c] -= upper[c][other] * fit.slopes[other];
    }
  }
  for (const Row& row : rows) fit.squares += row[most_columns] * row[most_columns];
  return fit;
}

std::vector<Row> rows_of(std::span<const FloorStep> steps, GrowthColumns columns) {
  std::vector<Row> rows;
  for (const FloorStep& step : steps) {
    Row row{};
    row[most_columns] = step.growth;
    std::size_t next = 0;
    if (columns.before > 0) row[next++] = rows.size() < columns.before ? step.connections : 0;
    row[next++] = step.connections;
    if (columns.late) row[next++] = step.dose_change;
    if (columns.per_cycle) row[next++] = step.connections > 0 ? 1 : 0;
    if (columns.per_second) row[next++] = step.seconds;
    rows.push_back(row);
  }
  return rows;
}

std::optional<Fit> fit_rows(std::span<const Row> rows, std::span<const double> weights,
                            std::size_t columns, double rho) {
  std::vector<Row> scaled(rows.begin(), rows.end());
  double log_weights = 0;
  for (std::size_t i = 0; i < scaled.size(); ++i) {
    for (double& value : scaled[i]) value *= std::sqrt(weights[i]);
    log_weights += std::log(weights[i]);
  }
  const double log_determinant = whiten(scaled, rho) - log_weights;
  auto fit = least_squares(scaled, columns);
  if (fit) fit->log_determinants += log_determinant;
  return fit;
}

double residual(const Row& row, const Fit& fit, std::size_t columns) {
  double left = row[most_columns];
  for (std::size_t c = 0; c < columns; ++c) left -= fit.slopes[c] * row[c];
  return left;
}

// Down-weights the steps that `fit` leaves far from it.
void weigh(std::span<const Row> rows, const Fit& fit, std::size_t columns, double variance,
           double resolution, std::vector<double>& weights) {
  std::vector<double> left;
  for (const Row& row : rows) left.push_back(residual(row, fit, columns));
  const double spread = std::max({scaled_mad(left), resolution, least_share * std::sqrt(variance)});
  for (std::size_t i = 0; i < left.size(); ++i) {
    const double far = std::abs(left[i]) / (huber_reach * spread);
    weights[i] = far <= 1 ? 1 : 1 / far;
  }
}

struct RobustFit {
  Fit fit;
  double variance = 0;
};

std::optional<RobustFit> fit_robustly(std::span<const Row> rows, std::size_t columns, double rho,
                                      double resolution) {
  const auto freedom = static_cast<double>(rows.size() - columns);
  std::vector<double> weights(rows.size(), 1);
  for (int round = 0;; ++round) {
    const auto fit = fit_rows(rows, weights, columns, rho);
    if (!fit) return std::nullopt;
    const double variance = (fit->squares + resolution * resolution) / freedom;
    if (round == robust_rounds) return RobustFit{*fit, variance};
    weigh(rows, *fit, columns, variance, resolution, weights);
  }
}

bool driven(const FloorStep& step) { return step.connections > 0; }

std::size_t cycles_of(std::span<const FloorStep> steps) {
  return static_cast<std::size_t>(std::ranges::count_if(steps, driven));
}

// How far growth per connection up to `before` exceeds that afterwards, in standard errors.
double evidence_of_change(std::span<const FloorStep> steps, GrowthColumns columns,
                          double resolution) {
  const auto rows = rows_of(steps, columns);
  const auto robust = fit_robustly(rows, columns.count(), likely_correlation, resolution);
  if (!robust) return 0;
  return robust->fit.slopes[0] / std::sqrt(robust->variance * robust->fit.variance_of_first);
}

// The number of leading steps that grow faster than those after them; 0 when that is not sure.
std::size_t change_point(std::span<const FloorStep> steps, std::size_t kept, double resolution) {
  GrowthColumns columns = separable_columns(steps);
  GrowthColumns best;
  double most = 0;
  std::size_t after = cycles_of(steps);
  const std::size_t stride = after / changes_at_most + 1;
  for (std::size_t i = 0; i < steps.size(); ++i) {
    if (!driven(steps[i])) continue;
    if (--after < kept) break;
    if (after % stride != 0) continue;
    columns.before = i + 1;
    if (steps.size() < columns.count() + spare_steps) columns.per_cycle = false;
    const double evidence = evidence_of_change(steps, columns, resolution);
    if (evidence <= most) continue;
    most = evidence;
    best = columns;
  }
  if (best.before == 0) return 0;
  const GrowthEstimate excess = fit_growth(steps, best, resolution).per_connection;
  return excess.known() && excess.quantile(change_doubt) > 0 ? best.before : 0;
}

}  // namespace

std::size_t warm_up_cycles(std::span<const FloorStep> steps, double resolution) {
  const auto first = std::ranges::find_if(steps, driven);
  if (first == steps.end()) return 0;
  const std::size_t cycles = cycles_of(steps);
  const std::size_t kept = std::max(cycles_kept, (cycles + 2) / 3);
  std::span<const FloorStep> rest(first + 1, steps.end());
  while (const std::size_t more = change_point(rest, kept, resolution)) rest = rest.subspan(more);
  return cycles - cycles_of(rest);
}

GrowthColumns separable_columns(std::span<const FloorStep> steps) {
  std::set<double> doses;
  std::size_t idle = 0;
  for (const FloorStep& step : steps) {
    if (step.connections > 0) {
      doses.insert(step.connections);
    } else {
      ++idle;
    }
  }
  GrowthColumns columns;
  const auto fits = [&] { return steps.size() >= columns.count() + 1 + spare_steps; };
  columns.per_second = idle >= 1 && fits();
  columns.late = doses.size() >= 3 && fits();
  columns.per_cycle = doses.size() >= 3 && fits();
  return columns;
}

GrowthEstimate::GrowthEstimate(std::vector<Component> components, double freedom)
    : components_(std::move(components)), freedom_(freedom) {}

double GrowthEstimate::center() const {
  double sum = 0;
  for (const Component& component : components_) sum += component.weight * component.center;
  return sum;
}

double GrowthEstimate::quantile(double probability) const {
  if (components_.empty()) return 0;
  const StudentsT student(freedom_);
  const double reach = boost::math::quantile(student, probability);
  double low = components_.front().center;
  double high = low;
  for (const Component& component : components_) {
    const double own = component.center + reach * component.scale;
    low = std::min(low, own);
    high = std::max(high, own);
  }
  const auto excess = [&](double value) {
    double below = 0;
    for (const Component& component : components_) {
      if (component.weight < 1e-6) continue;
      below += component.weight * cdf(student, (value - component.center) / component.scale);
    }
    return below - probability;
  };
  if (!(excess(low) < 0)) return low;
  if (!(excess(high) > 0)) return high;
  const double fine = (high - low) * 1e-8;
  std::uintmax_t rounds = 60;
  const auto [below, above] = boost::math::tools::toms748_solve(
      excess, low, high, [fine](double a, double b) { return std::abs(b - a) <= fine; }, rounds);
  return std::midpoint(below, above);
}

Interval GrowthEstimate::interval(double confidence) const {
  const double tail = (1 - confidence) / 2;
  return {quantile(tail), quantile(1 - tail)};
}

GrowthFit fit_growth(std::span<const FloorStep> steps, GrowthColumns columns, double resolution) {
  GrowthFit result;
  const std::size_t count = columns.count();
  if (steps.size() < count + spare_steps) return result;
  const std::vector<Row> rows = rows_of(steps, columns);
  const auto freedom = static_cast<double>(steps.size() - count);
  std::vector<GrowthEstimate::Component> components;
  std::vector<RobustFit> fits;
  for (const auto& [rho, prior] : correlations) {
    const auto robust = fit_robustly(rows, count, rho, resolution);
    if (!robust) continue;
    // The weight is a logarithm at first.
    const auto& [fit, variance] = fits.emplace_back(*robust);
    const double likelihood = -0.5 * (fit.log_determinants + freedom * std::log(variance));
    components.push_back(
        {std::log(prior) + likelihood, fit.slopes[0], std::sqrt(variance * fit.variance_of_first)});
  }
  if (components.empty()) return result;
  const double most =
      std::ranges::max_element(components, {}, &GrowthEstimate::Component::weight)->weight;
  double sum = 0;
  for (auto& component : components) sum += component.weight = std::exp(component.weight - most);
  for (std::size_t i = 0; i < components.size(); ++i) {
    components[i].weight /= sum;
    std::size_t next = 1U + (columns.before > 0);
    if (columns.late) result.late += components[i].weight * fits[i].fit.slopes[next++];
    if (columns.per_cycle) result.per_cycle += components[i].weight * fits[i].fit.slopes[next++];
    if (columns.per_second) result.per_second += components[i].weight * fits[i].fit.slopes[next];
  }
  result.per_connection = GrowthEstimate(std::move(components), freedom);
  return result;
}

}  // namespace ebbtide
