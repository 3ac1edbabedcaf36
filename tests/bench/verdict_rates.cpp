#include "tests/bench/verdict_rates.h"

#include <fmt/format.h>

#include <algorithm>

#include "analysis/judge.h"
#include "analysis/series.h"
#include "analysis/thresholds.h"

namespace ebbtide {
namespace {

constexpr std::uint64_t bench_seed = 31;  // of no run that a setting was chosen on
constexpr std::uint32_t bench_servers = 40;
constexpr double error_aim = 1;  // per cent
constexpr double least_coverage = 93;
constexpr double most_coverage = 97;

// The seed of one run: neighbours share nothing.
std::uint64_t seed_of(std::uint64_t seed, std::uint32_t server, const Group& group) {
  SplitMix64 random(seed);
  for (const std::uint64_t part : {std::uint64_t{server}, static_cast<std::uint64_t>(group.trouble),
                                   std::uint64_t{group.cycles}, std::uint64_t{group.multiple}}) {
    random = SplitMix64(random.next() + part);
  }
  return random.next();
}

// What the analysis says of the part that leaks, with 95 % instead of the first look's confidence.
Judgement judge_at_95(const SimulatedRun& run, const Assessment& assessment) {
  constexpr double confidence = 0.95;
  const Recording& recording = run.recording();
  if (run.judgement(assessment).evidence == Judgement::Evidence::gauge) {
    const auto rules = gauge_rules(recording);
    const auto rule = std::ranges::find(rules, run.gauge(), &GaugeRule::gauge);
    return judge_floor(floor_series(recording, rule->terms), *rule, confidence);
  }
  std::vector<CohortShare> shares;
  for (const CohortSurvivors& row : assessment.survivors) {
    const Cycle& cycle = recording.cycles.at(row.cycle - 1);
    shares.push_back({static_cast<double>(cycle.established),
                      static_cast<double>(cycle.end_ns - cycle.start_ns) * 1e-9,
                      static_cast<double>(row.alive_at_end), cycle.dose == 0});
  }
  return judge_survivors(shares, kind_rule(recording, ResourceKind::fd), confidence);
}

// Half of the run must be of a steady server: an interval can know no more than what it has seen.
void count_interval(Rates& rates, const SimulatedRun& run, const SimulatedServer& server) {
  if (!server.steady_after(run.connections() / 2, run.seconds() / 2)) return;
  const Judgement judgement = judge_at_95(run, assess(run.recording()));
  if (!judgement.estimated) return;
  const auto& [low, high] = judgement.interval;
  rates.covered.add(low <= server.per_connection && server.per_connection <= high);
  rates.above.add(server.per_connection < low);
  rates.half_widths.push_back((high - low) / 2);
}

void count_run(Outcomes& outcomes, std::uint64_t seed, const Group& group) {
  SplitMix64 random(seed);
  SimulatedServer server = draw_server(group.trouble, random);
  const std::uint64_t noise = random.next();
  const SimulatedRun clean(server, noise, group.cycles);
  server.per_connection =
      leak_multiples.at(group.multiple) * clean.judgement(assess(clean.recording())).limit;
  SimulatedRun run(server, noise, group.cycles);
  Rates& rates = outcomes.rates;
  count_interval(rates, run, server);
  const Assessment assessment = look_until_decided(run);
  const Verdict verdict = assessment.verdict;
  if (!server.steady_after(run.connections(), run.seconds())) {
    rates.unsteady_leak.add(verdict == Verdict::leak);
    return;
  }
  ++outcomes.verdicts.at(static_cast<std::size_t>(verdict));
  if (server.per_connection == 0) {
    rates.false_leak.add(verdict == Verdict::leak);
    rates.undecided.add(verdict == Verdict::inconclusive);
  }
  if (server.per_connection > run.judgement(assessment).limit) {
    rates.false_clear.add(verdict == Verdict::no_leak || verdict == Verdict::saturating);
  }
}

Row error_row(const std::string& name, const Tally& tally) {
  const Interval interval =
      share_interval(static_cast<double>(tally.count), static_cast<double>(tally.of), 0.95);
  const Met met = 100 * interval.high <= error_aim  ? Met::yes
                  : 100 * interval.low <= error_aim ? Met::within_error
                                                    : Met::no;
  return {
      .name = name,
      .figure = fmt::format("{:.2f} %", tally.percent()),
      .aim = fmt::format("<= {:.0f} %", error_aim),
      .met = met,
      .against = fmt::format("{} of {} runs, {}", tally.count, tally.of, tally.interval_text())};
}

Row coverage_row(const std::string& name, const Tally& tally) {
  const double figure = tally.percent();
  return {.name = name,
          .figure = fmt::format("{:.1f} %", figure),
          .aim = fmt::format("{:.0f}-{:.0f} %", least_coverage, most_coverage),
          .met = figure >= least_coverage && figure <= most_coverage ? Met::yes : Met::no,
          .against = fmt::format("{} runs, {}", tally.of, tally.interval_text())};
}

Row plain_row(const std::string& name, const Tally& tally) {
  return {.name = name,
          .figure = fmt::format("{:.1f} %", tally.percent()),
          .against = fmt::format("{} runs", tally.of)};
}

}  // namespace

Tally& Tally::operator+=(const Tally& other) {
  count += other.count;
  of += other.of;
  return *this;
}

double Tally::percent() const {
  return of > 0 ? 100 * static_cast<double>(count) / static_cast<double>(of) : 0;
}

std::string Tally::interval_text() const {
  const Interval interval =
      share_interval(static_cast<double>(count), static_cast<double>(of), 0.95);
  return fmt::format("{:.2f}–{:.2f} %", 100 * interval.low, 100 * interval.high);
}

Rates& Rates::operator+=(const Rates& other) {
  false_leak += other.false_leak;
  false_clear += other.false_clear;
  undecided += other.undecided;
  covered += other.covered;
  above += other.above;
  unsteady_leak += other.unsteady_leak;
  half_widths.insert(half_widths.end(), other.half_widths.begin(), other.half_widths.end());
  return *this;
}

VerdictRates::VerdictRates(std::uint64_t seed, std::uint32_t servers) {
  for (std::size_t trouble = 0; trouble < trouble_count; ++trouble) {
    for (const std::uint32_t cycles : planned_cycles) {
      for (std::size_t multiple = 0; multiple < leak_multiples.size(); ++multiple) {
        const Group group{static_cast<Trouble>(trouble), cycles, multiple};
        Outcomes& outcomes = outcomes_[group];
        for (std::uint32_t server = 0; server < servers; ++server) {
          count_run(outcomes, seed_of(seed, server, group), group);
        }
      }
    }
  }
}

Rates VerdictRates::rates(const Wanted& wanted) const {
  Rates sum;
  for (const auto& [group, outcomes] : outcomes_) {
    if (wanted(group)) sum += outcomes.rates;
  }
  return sum;
}

Tally VerdictRates::given(const std::vector<Verdict>& verdicts, const Wanted& wanted) const {
  Tally tally;
  for (const auto& [group, outcomes] : outcomes_) {
    if (!wanted(group)) continue;
    for (const std::uint64_t count : outcomes.verdicts) tally.of += count;
    for (const Verdict verdict : verdicts) {
      tally.count += outcomes.verdicts.at(static_cast<std::size_t>(verdict));
    }
  }
  return tally;
}

Result<Rows> measure_verdict_rates() {
  const VerdictRates simulated(bench_seed, bench_servers);
  Rows rows;
  for (const bool descriptors : {false, true}) {
    const Rates rates = simulated.rates(
        [&](const Group& group) { return of_descriptors(group.trouble) == descriptors; });
    const std::string of = descriptors ? "descriptors: " : "memory: ";
    rows.push_back(error_row(of + "false LEAK", rates.false_leak));
    rows.push_back(error_row(of + "false NO LEAK above the printed limit", rates.false_clear));
    rows.push_back(coverage_row(of + "coverage of the 95 % interval", rates.covered));
    rows.push_back(plain_row(of + "INCONCLUSIVE where nothing leaks", rates.undecided));
    rows.push_back(plain_row(of + "LEAK where a cache was not yet full", rates.unsteady_leak));
  }
  return rows;
}

}  // namespace ebbtide
