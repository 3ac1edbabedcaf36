#include "analysis/growth.h"

#include <algorithm>
#include <array>
#include <boost/math/distributions/students_t.hpp>
#include <cmath>
#include <numeric>
#include <optional>
#include <set>

namespace ebbtide {
namespace {

constexpr std::size_t most_columns = 4;
constexpr std::size_t spare_steps = 2;
constexpr std::array correlations = {-0.5, -0.4, -0.3, -0.2, -0.1, 0.0, 0.1, 0.2, 0.3};
constexpr int robust_rounds = 4;
constexpr double huber_reach = 2;    // scaled MADs; a step farther off weighs less
constexpr double least_share = 0.3;  // of the standard deviation: what the MAD is at least

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
    Row row{step.connections};
    row[most_columns] = step.growth;
    std::size_t next = 1;
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

}  // namespace

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
  const boost::math::students_t student(freedom_);
  const double reach = boost::math::quantile(student, probability);
  double low = components_.front().center;
  double high = low;
  for (const Component& component : components_) {
    const double own = component.center + reach * component.scale;
    low = std::min(low, own);
    high = std::max(high, own);
  }
  for (int halving = 0; halving < 28 && low < high; ++halving) {
    const double middle = std::midpoint(low, high);
    double below = 0;
    for (const Component& component : components_) {
      if (component.weight < 1e-6) continue;
      below += component.weight * cdf(student, (middle - component.center) / component.scale);
    }
    (below < probability ? low : high) = middle;
  }
  return std::midpoint(low, high);
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
  for (const double rho : correlations) {
    const auto robust = fit_robustly(rows, count, rho, resolution);
    if (!robust) continue;
    // The weight is a logarithm at first.
    const auto& [fit, variance] = fits.emplace_back(*robust);
    components.push_back({-0.5 * (fit.log_determinants + freedom * std::log(variance)),
                          fit.slopes[0], std::sqrt(variance * fit.variance_of_first)});
  }
  if (components.empty()) return result;
  const double most =
      std::ranges::max_element(components, {}, &GrowthEstimate::Component::weight)->weight;
  double sum = 0;
  for (auto& component : components) sum += component.weight = std::exp(component.weight - most);
  for (std::size_t i = 0; i < components.size(); ++i) {
    components[i].weight /= sum;
    std::size_t next = 1U + columns.late;
    if (columns.per_cycle) result.per_cycle += components[i].weight * fits[i].fit.slopes[next++];
    if (columns.per_second) result.per_second += components[i].weight * fits[i].fit.slopes[next];
  }
  result.per_connection = GrowthEstimate(std::move(components), freedom);
  return result;
}

}  // namespace ebbtide
