#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <boost/math/distributions/complement.hpp>
#include <boost/math/distributions/students_t.hpp>
#include <cmath>
#include <numeric>
#include <span>

#include "analysis/compare/figures.h"
#include "analysis/compare/quantile.h"
#include "analysis/format.h"
#include "analysis/load/failure_reasons.h"
#include "analysis/load/limit.h"
#include "recording/span.h"

namespace ebbtide {
namespace {

constexpr double confidence = 0.95;
constexpr std::size_t rate_batches = 10;

// What two runs of one server on one machine differ by: their own intervals do not hold what else
// the machine did.
constexpr double latency_share = 0.5;
constexpr double least_latency = 0.001;
constexpr double cost_share = 0.1;
constexpr double throughput_share = 0.1;
constexpr double cpu_share = 0.3;
constexpr double delivery_margin = 0.001;

// Student's interval of the mean of `values`, laid around `center`.
Interval around(double center, std::span<const double> values) {
  const auto n = static_cast<double>(values.size());
  const double mean = std::accumulate(values.begin(), values.end(), 0.0) / n;
  double squares = 0;
  for (const double value : values) squares += (value - mean) * (value - mean);
  const boost::math::students_t student(n - 1);
  const double half = quantile(boost::math::complement(student, (1 - confidence) / 2)) *
                      std::sqrt(squares / (n - 1) / n);
  return {center - half, center + half};
}

double larger(const PairedFigure& figure) {
  return std::max(figure.before ? std::abs(figure.before->value) : 0,
                  figure.after ? std::abs(figure.after->value) : 0);
}

PairedFigure weighed(PairedFigure figure, double share, double least = 0) {
  figure.margin = std::max(least, share * larger(figure));
  weigh(figure);
  return figure;
}

// The highest of the quantiles that both runs have enough latencies for.
PairedFigure latency_figure(const std::string& what, const auto& estimate_before,
                            const auto& estimate_after) {
  constexpr std::array quantiles = {std::pair{0.99, "p99"}, std::pair{0.9, "p90"},
                                    std::pair{0.5, "p50"}};
  for (const auto& [share, name] : quantiles) {
    PairedFigure figure{.subject = fmt::format("{} {}", name, what), .measure = Measure::seconds};
    figure.before = estimate_before(share);
    figure.after = estimate_after(share);
    if (figure.before && figure.after) return weighed(figure, latency_share, least_latency);
  }
  PairedFigure figure{.subject = "p50 " + what, .measure = Measure::seconds};
  figure.reason = "too few in one of the runs";
  weigh(figure);
  return figure;
}

// Connections held: levels are steps, and a limit that was not reached is not a number.
PairedFigure held_figure(const LevelsAssessment& before, const LevelsAssessment& after) {
  PairedFigure figure{.subject = "connections held without degrading",
                      .measure = Measure::count,
                      .more_is_better = true};
  figure.before = Estimate{static_cast<double>(before.held)};
  figure.after = Estimate{static_cast<double>(after.held)};
  weigh(figure);
  const auto own = [](const LevelsAssessment& run) {
    return run.limit.cause == LimitCause::own_limit;
  };
  const bool limited_before = before.limit.cause != LimitCause::none;
  const bool limited_after = after.limit.cause != LimitCause::none;
  const bool unknown = (figure.change == Change::worse && !limited_after) ||
                       (figure.change == Change::better && !limited_before);
  if (own(before) || own(after)) {
    figure.change = Change::not_comparable;
    figure.reason = "this machine's own limit came first";
  } else if (unknown) {
    figure.change = Change::not_comparable;
    figure.reason = "the levels differ, and the lower ones met no limit";
  } else if (limited_after) {
    figure.reason = after.limit.reason;
  } else if (limited_before) {
    figure.reason = "before: " + before.limit.reason;
  } else {
    figure.reason = "no limit was met";
  }
  return figure;
}

std::optional<Estimate> cost_of(const ConnectionCost* cost) {
  if (cost == nullptr || !cost->per_connection) return std::nullopt;
  return Estimate{*cost->per_connection, cost->interval};
}

const ConnectionCost* cost_of_subject(const LevelsAssessment& assessment,
                                      const std::string& subject) {
  const auto found = std::ranges::find(assessment.costs, subject, &ConnectionCost::subject);
  return found == assessment.costs.end() ? nullptr : &*found;
}

PairedFigure cost_figure(const std::string& subject, const LevelsAssessment& before,
                         const LevelsAssessment& after) {
  PairedFigure figure{.subject = subject + " per open connection"};
  figure.before = cost_of(cost_of_subject(before, subject));
  figure.after = cost_of(cost_of_subject(after, subject));
  if (!figure.before || !figure.after) figure.reason = "takes three finished levels in both runs";
  return weighed(figure, cost_share);
}

// How long each connection of a level took to be established.
std::vector<LatencyCount> establishing(const Recording& recording, std::uint32_t cycle) {
  std::vector<LatencyCount> latencies;
  for (const Connection& connection : recording.connections) {
    if (connection.cycle != cycle) continue;
    const std::uint64_t start_ns =
        connection.scheduled_ns != 0 ? connection.scheduled_ns : connection.start_ns;
    if (connection.established_ns < start_ns || connection.established_ns == 0) continue;
    latencies.push_back({static_cast<double>(connection.established_ns - start_ns) * 1e-9, 1});
  }
  return latencies;
}

std::vector<LatencyCount> deliveries(const Recording& recording) {
  std::vector<LatencyCount> latencies;
  for (const LatencyBucket& bucket : recording.latencies) {
    if (bucket.kind != LatencyKind::delivery || bucket.count == 0) continue;
    latencies.push_back({static_cast<double>(bucket.upper_ns) * 1e-9, bucket.count});
  }
  return latencies;
}

std::optional<Estimate> delivery_rate(const DeliveryCounts& counts) {
  if (counts.expected == 0 || !counts.tokens_seen) return std::nullopt;
  const auto expected = static_cast<double>(counts.expected);
  const double delivered = std::min(expected, static_cast<double>(counts.delivered));
  return Estimate{delivered / expected, share_interval(delivered, expected, confidence)};
}

std::optional<Estimate> cpu_per_delivery(const BroadcastAssessment& run) {
  if (!run.user_per_delivery || !run.system_per_delivery) return std::nullopt;
  return Estimate{*run.user_per_delivery + *run.system_per_delivery};
}

// Neighbouring deliveries hang together, batches of them hardly: the interval comes from the
// rates of ten batches of triggers (batch means, Student's t), the value from all of them.
std::optional<Estimate> delivery_throughput(const MeasuredBroadcast& run) {
  if (!run.assessment.deliveries_per_second) return std::nullopt;
  Estimate estimate{*run.assessment.deliveries_per_second};
  std::vector<const Trigger*> triggers;
  for (const Trigger& trigger : run.recording.triggers) {
    if (is_well(trigger)) triggers.push_back(&trigger);
  }
  if (triggers.size() < 2 * rate_batches) return estimate;
  std::ranges::sort(triggers, {}, &Trigger::sent_ns);
  const std::size_t size = triggers.size() / rate_batches;  // the rest, fewer than ten, has no say
  std::vector<double> rates;
  for (std::size_t batch = 0; batch < rate_batches; ++batch) {
    const auto part = std::span(triggers).subspan(batch * size, size);
    // Until the next batch begins; behind the last comes nothing, so that it has a trigger less.
    const bool last = (batch + 1) * size == triggers.size();
    const Trigger& end = last ? *part.back() : *triggers[(batch + 1) * size];
    double delivered = 0;
    for (const Trigger* trigger : part) delivered += static_cast<double>(trigger->delivered);
    if (last) delivered -= static_cast<double>(part.back()->delivered);
    const double seconds = span_seconds(part.front()->sent_ns, end.sent_ns);
    if (seconds <= 0) return estimate;
    rates.push_back(delivered / seconds);
  }
  estimate.interval = around(estimate.value, rates);
  return estimate;
}

}  // namespace

std::vector<PairedFigure> level_figures(const MeasuredLevels& before, const MeasuredLevels& after) {
  std::vector<PairedFigure> figures = {held_figure(before.assessment, after.assessment)};
  for (const ConnectionCost& cost : after.assessment.costs) {
    figures.push_back(cost_figure(cost.subject, before.assessment, after.assessment));
  }
  for (const ConnectionCost& cost : before.assessment.costs) {
    if (cost_of_subject(after.assessment, cost.subject) == nullptr)
      figures.push_back(cost_figure(cost.subject, before.assessment, after.assessment));
  }
  for (const LevelReport& level : after.assessment.levels) {
    const auto twin =
        std::ranges::find(before.assessment.levels, level.attempted, &LevelReport::attempted);
    if (twin == before.assessment.levels.end()) continue;
    const auto estimate = [](const Recording& recording, std::uint32_t cycle) {
      auto latencies = establishing(recording, cycle);
      return [latencies = std::move(latencies)](double share) {
        return quantile_estimate(latencies, share, static_cast<double>(latencies.size()),
                                 confidence);
      };
    };
    figures.push_back(latency_figure(
        fmt::format("until established, {}", counted(level.attempted, "connection")),
        estimate(before.recording, twin->cycle), estimate(after.recording, level.cycle)));
  }
  return figures;
}

std::vector<PairedFigure> broadcast_figures(const MeasuredBroadcast& before,
                                            const MeasuredBroadcast& after) {
  std::vector<PairedFigure> figures;
  PairedFigure rate{
      .subject = "messages delivered", .measure = Measure::share, .more_is_better = true};
  rate.before = delivery_rate(before.assessment.deliveries);
  rate.after = delivery_rate(after.assessment.deliveries);
  if (rate.before && rate.after && rate.before->value == rate.after->value) {
    rate.before->interval.reset();  // counted alike: nothing that a longer run would tell apart
    rate.after->interval.reset();
  }
  figures.push_back(weighed(rate, 0, delivery_margin));
  for (const double share : {0.5, 0.99}) {
    const auto estimate = [share](const MeasuredBroadcast& run) {
      return quantile_estimate(deliveries(run.recording), share,
                               static_cast<double>(run.assessment.deliveries.well), confidence);
    };
    PairedFigure latency{.subject = share > 0.9 ? "p99 until delivered" : "p50 until delivered",
                         .measure = Measure::seconds};
    latency.before = estimate(before);
    latency.after = estimate(after);
    if (!latency.before || !latency.after)
      latency.reason =
          share > 0.9 ? "takes 368 triggers in both runs" : "takes 6 triggers in both runs";
    figures.push_back(weighed(latency, latency_share, least_latency));
  }
  PairedFigure throughput{
      .subject = "deliveries per second", .measure = Measure::per_second, .more_is_better = true};
  throughput.before = delivery_throughput(before);
  throughput.after = delivery_throughput(after);
  figures.push_back(weighed(throughput, throughput_share));
  PairedFigure cpu{.subject = "CPU per delivery", .measure = Measure::seconds};
  cpu.before = cpu_per_delivery(before.assessment);
  cpu.after = cpu_per_delivery(after.assessment);
  figures.push_back(weighed(cpu, cpu_share));
  return figures;
}

}  // namespace ebbtide
