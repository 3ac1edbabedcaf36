#include "tests/bench/malloc_census_cost.h"

#include <fmt/format.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <chrono>
#include <csignal>
#include <cstdlib>
#include <cstring>

#include "tracer/malloc_census.h"

namespace ebbtide {
namespace {

using Clock = std::chrono::steady_clock;

constexpr std::size_t arena_bytes = 100'000'000;
constexpr std::size_t looks = 9;
constexpr double aim_ms = 50;

// A process that has filled its heap, and waits to be killed.
pid_t start_with_blocks_of(std::size_t block_bytes) {
  std::array<int, 2> ends{};
  if (pipe(ends.data()) != 0) return -1;
  const pid_t child = fork();
  if (child == 0) {
    for (std::size_t taken = 0; taken < arena_bytes; taken += block_bytes)
      std::memset(std::malloc(block_bytes), 1, block_bytes);
    if (write(ends[1], "x", 1) == 1) pause();
    _exit(0);
  }
  char filled = 0;
  close(ends[1]);
  const bool ready = child > 0 && read(ends[0], &filled, 1) == 1;
  close(ends[0]);
  return ready ? child : -1;
}

Result<Row> measure(pid_t pid, std::size_t block_bytes) {
  auto census = MallocCensus::open(pid);
  if (!census) return census.error();
  std::array<double, looks> times_ms{};
  std::uint64_t blocks = 0;
  for (double& time_ms : times_ms) {
    const auto start = Clock::now();
    const auto use = census->take();
    if (!use) return use.error();
    time_ms = std::chrono::duration<double, std::milli>(Clock::now() - start).count();
    blocks = use->blocks;
  }
  std::ranges::sort(times_ms);
  const double median = times_ms[looks / 2];
  return Row{.name = fmt::format("100 MB in blocks of {} B", block_bytes),
             .figure = fmt::format("{:.0f} ms", median),
             .aim = fmt::format("{:.0f} ms", aim_ms),
             .met = at_most(aim_ms, median),
             .against = fmt::format("{} blocks", blocks)};
}

}  // namespace

Result<Rows> measure_malloc_census() {
  Rows rows;
  for (const std::size_t block_bytes : {88U, 10'000U}) {
    const pid_t pid = start_with_blocks_of(block_bytes);
    if (pid < 0) return Error{"start", "a process that fills its heap", std::strerror(errno), ""};
    auto row = measure(pid, block_bytes);
    kill(pid, SIGKILL);
    waitpid(pid, nullptr, 0);
    if (!row) return row.error();
    rows.push_back(*std::move(row));
  }
  return rows;
}

}  // namespace ebbtide
