#include "simulated_server.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <numbers>

#include "analysis/design.h"
#include "analysis/looks.h"

namespace ebbtide {
namespace {

constexpr double kib = 1024;

bool chance(SplitMix64& random, double probability) { return random.unit() < probability; }

// Student's t with three degrees of freedom, scaled to a standard deviation of 1.
double heavy_tailed(SplitMix64& random) {
  const double numerator = normal(random);
  double squares = 0;
  for (int i = 0; i < 3; ++i) squares += std::pow(normal(random), 2);
  return numerator / std::sqrt(squares);
}

void add_code(SimulatedServer& server, SplitMix64& random) {
  server.functions = static_cast<std::uint32_t>(1 + random.below(8));
  server.function_size = log_uniform(random, 4 * kib, 150 * kib);
  server.function_chance = 0.05 + 0.55 * random.unit();
}

void add_warm_up(SimulatedServer& server, SplitMix64& random) {
  for (std::size_t parts = 1 + random.below(3); parts > 0; --parts) {
    server.warm_ups.push_back(
        {log_uniform(random, 10 * kib, 2048 * kib), log_uniform(random, 20, 500)});
  }
}

void add_garbage(SimulatedServer& server, SplitMix64& random) {
  server.tooth_size = log_uniform(random, 10 * kib, 1024 * kib);
  server.tooth_connections = log_uniform(random, 50, 800);
  server.missed_chance = 0.3 * random.unit();
  server.missed = log_uniform(random, 100, 2 * kib);
}

void add_clock(SimulatedServer& server, SplitMix64& random) {
  server.per_second = log_uniform(random, kib, 200 * kib);
  server.per_cycle = chance(random, 0.5) ? log_uniform(random, kib, 50 * kib) : 0;
}

void add_outliers(SimulatedServer& server, SplitMix64& random) {
  server.heavy_tails = true;
  server.outlier_chance = 0.02 + 0.13 * random.unit();
  server.outlier_size = log_uniform(random, 20 * kib, 500 * kib);
}

void add_cache(SimulatedServer& server, SplitMix64& random) {
  server.caches.push_back(
      {log_uniform(random, 200, 20 * kib), std::floor(log_uniform(random, 20, 8000))});
}

void add_arenas(SimulatedServer& server, SplitMix64& random) {
  server.v8 = false;
  server.arena = chance(random, 0.5) ? 128 * kib : 1024 * kib;
  server.keeps_arenas = chance(random, 0.5);
  server.reading_noise = log_uniform(random, 4 * kib, 200 * kib);
}

}  // namespace

double normal(SplitMix64& random) {
  return std::sqrt(-2 * std::log(1 - random.unit())) *
         std::cos(2 * std::numbers::pi * random.unit());
}

double log_uniform(SplitMix64& random, double low, double high) {
  return low * std::pow(high / low, random.unit());
}

bool SimulatedServer::steady_after(double connections, double seconds) const {
  const double nine_tenths = std::log(10.0);
  return std::ranges::all_of(
             warm_ups,
             [&](const WarmUp& part) { return connections >= nine_tenths * part.connections; }) &&
         std::ranges::all_of(caches,
                             [&](const Cache& cache) { return connections >= cache.entries; }) &&
         (tooth_size == 0 || connections >= 2 * tooth_connections) && connections >= 3 * kept &&
         (late_share == 0 || seconds >= 3 * late_seconds);
}

bool of_descriptors(Trouble trouble) { return trouble >= Trouble::no_descriptors; }

std::string_view trouble_name(Trouble trouble) {
  constexpr std::array<std::string_view, trouble_count> names = {"only what follows the last dose",
                                                                 "code compiled and flushed",
                                                                 "warm-up",
                                                                 "garbage missed, buffers flushed",
                                                                 "clock, cycles",
                                                                 "much given back late",
                                                                 "allocation areas",
                                                                 "outliers, heavy tails",
                                                                 "caches",
                                                                 "arenas (not V8)",
                                                                 "several of these",
                                                                 "nothing else kept",
                                                                 "pool",
                                                                 "some kept for a while",
                                                                 "the last ones kept",
                                                                 "some kept by the clock",
                                                                 "several of these"};
  return names.at(static_cast<std::size_t>(trouble));
}

SimulatedServer draw_keeper(Trouble trouble, SplitMix64& random) {
  SimulatedServer server;
  server.descriptors = true;
  server.regular = chance(random, 0.5);
  const auto has = [&](Trouble other) {
    return trouble == other || (trouble == Trouble::several_descriptors && chance(random, 0.5));
  };
  if (has(Trouble::pool)) server.pool = static_cast<std::uint32_t>(log_uniform(random, 1, 200));
  if (has(Trouble::kept_for_a_while)) {
    server.late_share = log_uniform(random, 0.02, 1);
    server.late_seconds = log_uniform(random, 0.1, 10);
  }
  if (has(Trouble::last_ones_kept)) {
    server.kept = static_cast<std::uint32_t>(log_uniform(random, 1, 1000));
  }
  if (has(Trouble::by_the_clock)) server.per_second = log_uniform(random, 0.1, 20);
  return server;
}

SimulatedServer draw_server(Trouble trouble, SplitMix64& random) {
  if (of_descriptors(trouble)) return draw_keeper(trouble, random);
  SimulatedServer server;
  server.late = chance(random, 0.8) ? log_uniform(random, 8, 600) : 0;
  server.reading_noise = chance(random, 0.5) ? 50 : log_uniform(random, 100, 10 * kib);
  const bool several = trouble == Trouble::several;
  const auto has = [&](Trouble other) {
    return trouble == other || (several && chance(random, 0.35));
  };
  if (has(Trouble::code)) add_code(server, random);
  if (has(Trouble::warm_up)) add_warm_up(server, random);
  if (has(Trouble::garbage)) add_garbage(server, random);
  if (has(Trouble::clock)) add_clock(server, random);
  if (has(Trouble::late)) server.late = log_uniform(random, 500, 8 * kib);
  if (has(Trouble::areas)) server.linear_area = log_uniform(random, 16 * kib, 256 * kib);
  if (has(Trouble::outliers)) add_outliers(server, random);
  if (has(Trouble::cache)) add_cache(server, random);
  if (trouble == Trouble::arenas) add_arenas(server, random);
  return server;
}

SimulatedRun::SimulatedRun(const SimulatedServer& server, std::uint64_t seed, std::uint32_t cycles,
                           std::uint32_t connections)
    : server_(server), random_(seed) {
  recording_.run.start_ns = now_ns_;
  recording_.run.runtime = server.v8 && !server.descriptors ? "node" : "";
  recording_.run.plan.cycles = cycles;
  recording_.run.plan.connections = connections;
  recording_.end.reason = EndReason::completed;
  if (!server.descriptors) read();
  make(plan_doses(cycles, connections));
}

GaugeKind SimulatedRun::gauge() const {
  return server_.v8 ? GaugeKind::heap_used : GaugeKind::anon;
}

void SimulatedRun::make(std::span<const std::uint32_t> doses) {
  for (const std::uint32_t dose : doses) {
    // An idle control takes as long as a cycle does typically.
    const std::uint32_t typical = dose > 0 ? dose : recording_.run.plan.connections;
    const double took = 0.3 + 0.003 * typical + 0.05 * random_.unit();
    const std::uint64_t start = now_ns_;
    now_ns_ += static_cast<std::uint64_t>(took * 1e9);
    seconds_ += took;
    if (dose > 0) {
      connections_ += dose;
      ++cycles_;
      last_dose_ = dose;
    }
    const auto number = static_cast<std::uint32_t>(recording_.cycles.size() + 1);
    recording_.cycles.push_back({number, dose, dose, start, now_ns_, CloseMode::clean});
    server_.descriptors ? connect(dose) : read();
  }
  recording_.end.end_ns = now_ns_;
}

// What the server really holds above its start.
double SimulatedRun::held() {
  double size = server_.per_connection * connections_ + server_.per_cycle * cycles_ +
                server_.per_second * seconds_ + server_.late * last_dose_;
  for (const auto& part : server_.warm_ups) {
    size += part.size * (1 - std::exp(-connections_ / part.connections));
  }
  for (const auto& cache : server_.caches) {
    size += cache.per_entry * std::min(connections_, cache.entries);
  }
  size += server_.tooth_size * std::fmod(connections_ / server_.tooth_connections, 1);
  // The more is compiled, the rarer is new code, and the more can be flushed.
  const bool moves = chance(random_, server_.function_chance);
  const bool flushes = random_.below(std::max(1U, server_.functions)) < compiled_;
  if (moves && server_.functions > 0) flushes ? --compiled_ : ++compiled_;
  return size + compiled_ * server_.function_size;
}

void SimulatedRun::read() {
  double size = held();
  if (chance(random_, server_.missed_chance)) size += server_.missed * last_dose_;
  size += server_.linear_area * random_.unit();
  size += server_.reading_noise * (server_.heavy_tails ? heavy_tailed(random_) : normal(random_));
  const double outlier = server_.outlier_size * (0.5 + random_.unit());
  if (chance(random_, server_.outlier_chance)) size += chance(random_, 0.7) ? outlier : -outlier;
  if (server_.arena > 1) {
    const double needed = std::ceil(size / server_.arena) * server_.arena;
    taken_ = server_.keeps_arenas ? std::max(taken_, needed) : needed;
    size = taken_;
  }
  const double start = 20'000 * kib;
  const auto cycle = static_cast<std::uint32_t>(recording_.cycles.size());
  recording_.gauges.push_back({cycle, Point::settled, gauge(), now_ns_,
                               static_cast<std::int64_t>(std::llround(start + size))});
}

void SimulatedRun::keep(std::uint64_t birth_ns, std::uint64_t death_ns) {
  Resource resource;
  resource.id = recording_.resources.size() + 1;
  resource.kind = ResourceKind::fd;
  resource.birth_cycle = recording_.cycles.back().number;
  resource.birth_ns = birth_ns;
  resource.death_ns = death_ns;
  recording_.resources.push_back(resource);
}

// What one cycle takes, and when it gives that back.
void SimulatedRun::connect(std::uint32_t dose) {
  const Cycle& cycle = recording_.cycles.back();
  const auto took = cycle.end_ns - cycle.start_ns;
  keep(cycle.start_ns, cycle.end_ns - 1);  // of every kind there is one that is given back
  const double by_clock = server_.per_second * static_cast<double>(took) * 1e-9;
  for (double born = random_.unit(); born < by_clock; ++born) keep(cycle.start_ns, 0);
  for (; pooled_ < std::min(server_.pool, dose); ++pooled_) keep(cycle.start_ns, 0);
  for (std::uint32_t i = 0; i < dose; ++i) {
    const std::uint64_t birth = cycle.start_ns + took * i / (2 * dose);
    const double leaked = server_.per_connection;
    const double before = connections_ - dose + i;
    const bool turn = std::floor((before + 1) * leaked) > std::floor(before * leaked);
    const bool drawn = chance(random_, leaked);
    if (server_.regular ? turn : drawn) keep(birth, 0);
    if (chance(random_, server_.late_share)) {
      keep(birth, birth + static_cast<std::uint64_t>(server_.late_seconds * 1e9));
    }
    if (server_.kept == 0) continue;
    if (last_ones_.size() == server_.kept) {
      recording_.resources[last_ones_.front()].death_ns = birth;
      last_ones_.pop_front();
    }
    last_ones_.push_back(recording_.resources.size());
    keep(birth, 0);
  }
}

Assessment look_until_decided(SimulatedRun& run) {
  for (;;) {
    Assessment assessment = assess(run.recording());
    const auto more = next_doses(run.recording(), assessment, {});
    if (more.empty()) return assessment;
    run.make(more);
  }
}

const Judgement& SimulatedRun::judgement(const Assessment& assessment) const {
  return *std::ranges::find_if(assessment.judgements, [&](const Judgement& each) {
    return server_.descriptors ? each.evidence == Judgement::Evidence::survivors
                               : each.gauge == gauge();
  });
}

}  // namespace ebbtide
