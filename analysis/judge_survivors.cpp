#include <fmt/format.h>

#include <algorithm>
#include <boost/math/distributions/binomial.hpp>
#include <boost/math/distributions/gamma.hpp>
#include <cmath>

#include "analysis/format.h"
#include "analysis/judge.h"

namespace ebbtide {
namespace {

constexpr std::size_t cycles_needed = 3;
constexpr double excess_doubt = 0.01;  // that there is none

using Shares = std::vector<CohortShare>;

struct Sum {
  double alive = 0;
  double connections = 0;
  double seconds = 0;

  [[nodiscard]] double share() const { return connections > 0 ? alive / connections : 0; }
};

Sum sum_of(std::span<const CohortShare> cohorts) {
  Sum sum;
  for (const CohortShare& cohort : cohorts) {
    sum.alive += cohort.alive_at_end;
    sum.connections += cohort.connections;
    sum.seconds += cohort.seconds;
  }
  return sum;
}

Shares with_idle(std::span<const CohortShare> cohorts, bool idle) {
  Shares kept;
  std::ranges::copy_if(cohorts, std::back_inserter(kept),
                       [idle](const CohortShare& cohort) { return cohort.idle == idle; });
  return kept;
}

// The number of leading cycles that left more than those after them; 0 when that is not sure.
// Were all alike, what is alive would be spread like the connections (binomial, given their sum).
std::size_t excess_at_front(std::span<const CohortShare> cohorts, std::size_t kept) {
  const Sum all = sum_of(cohorts);
  std::size_t found = 0;
  double least = excess_doubt;
  for (std::size_t before = 1; before + kept <= cohorts.size(); ++before) {
    const Sum front = sum_of(cohorts.first(before));
    if (front.alive <= 0 || front.connections >= all.connections) continue;
    const boost::math::binomial spread(all.alive, front.connections / all.connections);
    const double chance =
        cdf(complement(spread, front.alive - 1)) * static_cast<double>(cohorts.size() - kept);
    if (chance >= least) continue;
    least = chance;
    found = before;
  }
  return found;
}

// What the cycles after the first fall into.
struct Spread {
  std::size_t early = 0;  // leading ones that left more than the others: pools, caches
  std::size_t late = 0;   // trailing ones: not given back yet
  Shares steady;          // those between

  explicit Spread(Shares cohorts) : steady(std::move(cohorts)) {
    const std::size_t kept = std::max(cycles_needed, (steady.size() + 2) / 3);
    const auto strip = [&](std::size_t& stripped) {
      while (const std::size_t more = excess_at_front(steady, kept)) {
        steady.erase(steady.begin(), steady.begin() + static_cast<std::ptrdiff_t>(more));
        stripped += more;
      }
    };
    strip(early);
    std::ranges::reverse(steady);
    strip(late);
    std::ranges::reverse(steady);
  }
};

// Of `count` events that come by chance (Garwood 1936).
Interval poisson_interval(double count, double confidence) {
  const double tail = (1 - confidence) / 2;
  using boost::math::gamma_distribution;
  return {count > 0 ? quantile(gamma_distribution(count), tail) : 0,
          quantile(gamma_distribution(count + 1), 1 - tail)};
}

// The share of connections that left one, less what idle cycles leave in the same time.
void estimate(Judgement& judgement, const Sum& steady, const Sum& idle, double confidence) {
  const Interval whole = share_interval(steady.alive, steady.connections, confidence);
  judgement.per_connection = steady.share();
  judgement.interval = whole;
  if (idle.alive == 0) return;
  const double scale = steady.seconds / idle.seconds / steady.connections;
  const Interval rate = poisson_interval(idle.alive, confidence);
  const double clock = scale * idle.alive;
  // The interval of the difference from each one's own (MOVER, Zou and Donner 2008).
  const double rest = steady.share() - clock;
  const double down = std::hypot(steady.share() - whole.low, scale * rate.high - clock);
  const double up = std::hypot(whole.high - steady.share(), clock - scale * rate.low);
  judgement.per_connection = std::max(0.0, rest);
  judgement.interval = {std::max(0.0, rest - down), std::max(0.0, rest + up)};
}

void decide_survivors(Judgement& judgement, const Shares& used, const Spread& spread,
                      bool left_at_all) {
  const std::span steady(spread.steady);
  const std::size_t third = std::max<std::size_t>(1, steady.size() / 3);
  const double earlier = sum_of(steady.first(steady.size() - third)).share();
  const double last = sum_of(steady.last(third)).share();
  const bool clear =
      used.size() >= 2 && std::ranges::all_of(used, [](const CohortShare& cohort) {
        return cohort.alive_at_end >= cohort.connections / 2 && cohort.connections > 0;
      });
  const std::string limit = count_text(judgement.limit) + " per connection";
  if (steady.size() < cycles_needed && !clear) {
    judgement.estimated = false;
    judgement.reason = fmt::format("too little to go by ({} after the first)",
                                   counted(used.size(), "finished cycle"));
  } else if (judgement.interval.high < judgement.limit && spread.early > 0 && left_at_all) {
    judgement.verdict = Verdict::saturating;
    judgement.reason = fmt::format(
        "from early cycles only: {}, {} afterwards",
        count_text(sum_of(std::span(used).first(spread.early)).share()) + " per connection",
        count_text(judgement.per_connection));
  } else if (judgement.interval.high < judgement.limit) {
    judgement.verdict = Verdict::no_leak;
    judgement.reason = spread.late > 0
                           ? "given back late: only those of the last cycles were still there"
                           : "below the limit of " + limit;
  } else if (judgement.interval.low <= judgement.limit) {
    judgement.reason = "the interval holds the limit of " + limit;
  } else if (last < earlier / 2) {
    judgement.reason = fmt::format("mostly from early cycles: {}, {} in the last third",
                                   count_text(earlier) + " per connection", count_text(last));
  } else if (earlier < last / 2) {
    judgement.may_come_back = true;
    judgement.reason = "mostly from the last cycles: they may be given back late";
  } else {
    judgement.verdict = Verdict::leak;
    judgement.reason = fmt::format("from every cycle: {} from the last third of the run",
                                   count_text(last) + " per connection");
  }
}

}  // namespace

Judgement judge_survivors(std::span<const CohortShare> cohorts, const KindRule& rule,
                          double confidence) {
  Judgement judgement;
  judgement.evidence = Judgement::Evidence::survivors;
  judgement.resource = rule.kind;
  judgement.subject = rule.subject;
  judgement.unit = Unit::count;
  Shares used = with_idle(cohorts, false);
  judgement.warm_up_cycles = used.empty() ? 0 : 1;
  if (!used.empty()) used.erase(used.begin());
  judgement.points = static_cast<std::uint32_t>(used.size());
  const Sum all = sum_of(used);
  judgement.limit = rule.threshold.limit(all.connections);
  if (all.connections == 0) {
    judgement.estimated = false;
    judgement.reason = "too little to go by (no connection after the first cycle)";
  } else {
    const Spread spread(used);
    judgement.warm_up_cycles += static_cast<std::uint32_t>(spread.early);
    estimate(judgement, sum_of(spread.steady), sum_of(with_idle(cohorts, true)), confidence);
    const double least = share_interval(all.alive, all.connections, confidence).low;
    decide_survivors(judgement, used, spread, least > judgement.limit);
  }
  apply_role(judgement, rule.role, rule.aside, true);
  return judgement;
}

}  // namespace ebbtide
