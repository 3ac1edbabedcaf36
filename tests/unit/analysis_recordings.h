// Answers: what would a run have recorded if the target behaved just so? Hand-made recordings for
// the tests of analysis/.
#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <vector>

#include "recording/run.h"

namespace ebbtide {

inline constexpr std::uint64_t second_ns = 1'000'000'000;

// Builds a run of cycles of one second and `dose` connections each, as a Node server would leave
// it: every finished cycle has its phases; gauges and connections are added by the test.
class RunBuilder {
 public:
  explicit RunBuilder(std::uint32_t dose = 100, std::string runtime = "node");

  RunBuilder& cycle();
  RunBuilder& cycles(std::uint32_t count);
  RunBuilder& idle();
  // An idle cycle behind the others that lasts so long.
  RunBuilder& cool_down(std::uint64_t seconds);
  // The doses and idle controls of a real run, `dose` connections on average.
  RunBuilder& designed(std::uint32_t count);
  // Connections of the cycles that follow end in this way.
  RunBuilder& ending(CloseMode mode);
  // A cycle that began and never settled: `established` connections, no Cycle row.
  RunBuilder& cut_off(std::uint32_t established);

  // A settled value for the baseline and for every cycle so far; the argument is the number of
  // connections established until then and the time in seconds.
  using Level = std::function<double(double connections, double seconds)>;
  RunBuilder& gauge(GaugeKind kind, const Level& level);
  RunBuilder& gauge(GaugeKind kind, Point point, std::uint32_t cycle, std::int64_t value);

  // Every connection of every cycle, and the target's socket of each: gone at the close when
  // `kept` (cycle, number in the cycle) says no, else for ever in `state`.
  using Kept = std::function<bool(std::uint32_t cycle, std::uint32_t index)>;
  RunBuilder& sockets(const Kept& kept, std::uint8_t state);

  // `count` resources born in `cycle`, dead at `death_ns` (0: never).
  RunBuilder& resources(ResourceKind kind, std::uint32_t cycle, std::uint32_t count,
                        std::uint64_t death_ns, std::uint64_t size_bytes = 0,
                        std::uint64_t stack_id = 0);

  Recording recording;

 private:
  Cycle& add(std::uint32_t dose, std::uint32_t established);
  void add_socket(const Connection& connection, bool kept, std::uint8_t state);

  std::uint32_t dose_;
  CloseMode close_mode_ = CloseMode::clean;
  std::uint64_t now_ns_ = 1000 * second_ns;
  std::uint64_t next_resource_ = 1;
};

// Levels that stay put.
RunBuilder::Level constant(double value);

}  // namespace ebbtide
