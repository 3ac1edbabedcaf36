#include "tests/bench/target_cost.h"

#include <fmt/format.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <cmath>
#include <cstring>
#include <filesystem>
#include <functional>
#include <thread>
#include <vector>

#include "tests/bench/churn.h"
#include "tests/bench/tracing.h"

namespace ebbtide {
namespace {

constexpr std::uint32_t round_connections = 500;
constexpr int warm_up_rounds = 10;  // V8 compiles what is hot
constexpr int blocks = 40;          // even: each order of the treatments equally often
constexpr int peer_blocks = 4;
constexpr int bystander_blocks = 4;
constexpr double aim_percent = 3;

struct Treatment {
  std::string name;
  std::function<Result<Attached>()> attach;  // null: nothing is attached
};

Result<Attached> attach(const Treatment& treatment) {
  return treatment.attach ? treatment.attach() : Attached();
}

Result<double> clock_s(clockid_t clock) {
  timespec now{};
  if (clock_gettime(clock, &now) != 0)
    return Error{"read", "the CPU clock", std::strerror(errno), ""};
  return static_cast<double>(now.tv_sec) + static_cast<double>(now.tv_nsec) / 1e9;
}

// CPU seconds of all threads of `pid`, ended ones included, to the nanosecond.
Result<double> cpu_s_of(pid_t pid) {
  clockid_t clock{};
  if (const int code = clock_getcpuclockid(pid, &clock); code != 0)
    return Error{"find", fmt::format("the CPU clock of process {}", pid), std::strerror(code), ""};
  return clock_s(clock);
}

// CPU seconds of the server in one round under `treatment`.
Result<double> run_round(const Server& server, const Treatment& treatment) {
  const auto attached = attach(treatment);
  if (!attached) return attached.error();
  const auto before = cpu_s_of(server.pid());
  if (!before) return before.error();
  if (auto churned = churn(server.port(), round_connections); !churned) return churned.error();
  // What the server still does for the connections that just closed belongs to the round.
  std::this_thread::sleep_for(std::chrono::milliseconds(100));
  const auto after = cpu_s_of(server.pid());
  if (!after) return after.error();
  return *after - *before;
}

// Seconds per round, by treatment. Every block has one round of each; every other block runs them
// backwards, so that a steady drift cancels out.
using Rounds = std::vector<std::vector<double>>;

Result<Rounds> run_blocks(const Server& server, const std::vector<Treatment>& treatments,
                          int count) {
  Rounds rounds(treatments.size());
  for (int block = 0; block < count; block++) {
    for (std::size_t i = 0; i < treatments.size(); i++) {
      const std::size_t index = block % 2 == 0 ? i : treatments.size() - 1 - i;
      const auto seconds = run_round(server, treatments[index]);
      if (!seconds) return seconds.error();
      rounds[index].push_back(*seconds);
    }
  }
  return rounds;
}

struct Ratio {
  double percent = 0;  // more than bare
  double standard_error = 0;
};

// The mean of the logarithms of the ratios within blocks, with its standard error.
Ratio ratio_to(const std::vector<double>& bare, const std::vector<double>& traced) {
  double mean = 0, squares = 0;  // Welford
  for (std::size_t i = 0; i < bare.size(); i++) {
    const double value = std::log(traced[i] / bare[i]);
    const double delta = value - mean;
    mean += delta / static_cast<double>(i + 1);
    squares += delta * (value - mean);
  }
  const auto n = static_cast<double>(bare.size());
  const double factor = std::exp(mean);
  return {100 * (factor - 1), 100 * factor * std::sqrt(squares / (n - 1) / n)};
}

double median_of(std::vector<double> values) {
  const auto middle = values.begin() + static_cast<std::ptrdiff_t>(values.size() / 2);
  std::nth_element(values.begin(), middle, values.end());
  return *middle;
}

std::string describe(const Ratio& ratio) {
  return fmt::format("{:+.1f} ± {:.1f} %", ratio.percent, ratio.standard_error);
}

bool installed(const std::string& program) {
  for (const char* directory : {"/usr/bin/", "/usr/local/bin/", "/bin/"}) {
    if (access((directory + program).c_str(), X_OK) == 0) return true;
  }
  return false;
}

Result<Row> measure_strace(const Server& server, const Target& target) {
  Row row{.name = "strace -f on the same calls", .figure = "-"};
  if (!installed("strace")) {
    row.against = "skipped: strace is not installed";
    return row;
  }
  const auto rounds = run_blocks(
      server, {{"bare", nullptr}, {"strace", [&] { return attach_strace(target); }}}, peer_blocks);
  if (!rounds) return rounds.error();
  row.figure = describe(ratio_to((*rounds)[0], (*rounds)[1]));
  row.against = fmt::format("bare, {} rounds each", peer_blocks);
  return row;
}

// Attaches the tracer with a recording of its own each time.
std::function<Result<Attached>()> attach_tracer_in(const std::string& directory,
                                                   const Target& target) {
  return [directory, &target]() -> Result<Attached> {
    const std::string recording = directory + "/target-cost.ebbtide";
    std::filesystem::remove(recording);
    auto tracer = attach_tracer(target, recording);
    if (!tracer) return tracer.error();
    return Attached(*std::move(tracer));
  };
}

// CPU nanoseconds of this thread per getpid(), the least of some tries.
Result<double> getpid_ns() {
  constexpr int calls = 200'000;
  double least = INFINITY;
  for (int attempt = 0; attempt < 4; attempt++) {
    const auto before = clock_s(CLOCK_THREAD_CPUTIME_ID);
    for (int i = 0; i < calls; i++) syscall(SYS_getpid);
    const auto after = clock_s(CLOCK_THREAD_CPUTIME_ID);
    if (!before || !after) return before ? after.error() : before.error();
    least = std::min(least, (*after - *before) * 1e9 / calls);
  }
  return least;
}

}  // namespace

Result<Rows> measure_target_cost(const Server& server, const std::string& directory) {
  const auto target = server_target(server);
  if (!target) return target.error();
  const std::vector<Treatment> treatments = {
      {"bare", nullptr},
      {"base tier, as `leak` attaches it", attach_tracer_in(directory, *target)},
      {"sockets by TCP state alone", [&] { return attach_sockets_only(*target); }},
      {"an empty program on sys_exit", attach_no_work}};
  for (int i = 0; i < warm_up_rounds; i++) {
    if (auto warm = run_round(server, treatments[0]); !warm) return warm.error();
  }
  const auto rounds = run_blocks(server, treatments, blocks);
  if (!rounds) return rounds.error();

  const std::vector<double>& bare = (*rounds)[0];
  Rows rows{{.name = treatments[0].name,
             .figure = fmt::format("{:.1f} ms", median_of(bare) * 1e6 / round_connections),
             .against = fmt::format("tests/bench/plain-server.js, {} rounds of {} connections",
                                    blocks, round_connections)}};
  for (std::size_t i = 1; i < treatments.size(); i++) {
    const Ratio ratio = ratio_to(bare, (*rounds)[i]);
    Row row{.name = treatments[i].name,
            .figure = describe(ratio),
            .against = fmt::format("bare, {} rounds each, alternating", blocks)};
    if (i == 1) {
      row.aim = fmt::format("<= {:.0f} %", aim_percent);
      row.met = at_most(aim_percent, ratio.percent, ratio.standard_error);
    }
    rows.push_back(std::move(row));
  }
  auto peer = measure_strace(server, *target);
  if (!peer) return peer.error();
  rows.push_back(*std::move(peer));
  return rows;
}

Result<Rows> measure_bystander_cost(const Server& server, const std::string& directory) {
  const auto target = server_target(server);
  if (!target) return target.error();
  const std::vector<Treatment> treatments = {
      {"bare", nullptr},
      {"base tier on another process", attach_tracer_in(directory, *target)},
      {"an empty program on sys_exit", attach_no_work}};
  std::vector<double> least(treatments.size(), INFINITY);
  for (int block = 0; block < bystander_blocks; block++) {
    for (std::size_t i = 0; i < treatments.size(); i++) {
      const auto attached = attach(treatments[i]);
      if (!attached) return attached.error();
      const auto ns = getpid_ns();
      if (!ns) return ns.error();
      least[i] = std::min(least[i], *ns);
    }
  }
  Rows rows{{.name = treatments[0].name,
             .figure = fmt::format("{:.0f} ns", least[0]),
             .against = "getpid() in a loop, the least of some tries"}};
  for (std::size_t i = 1; i < treatments.size(); i++)
    rows.push_back({.name = treatments[i].name,
                    .figure = fmt::format("{:+.0f} ns", least[i] - least[0]),
                    .against = "bare, alternating"});
  return rows;
}

}  // namespace ebbtide
