// Answers: what would a run have recorded of a server whose every byte is known? Whole runs, drawn
// from a seed, for whoever counts how often the verdict is wrong (docs/method.md says what is drawn
// and what counts as the truth).
#pragma once

#include <cstdint>
#include <deque>
#include <span>
#include <string_view>
#include <vector>

#include "analysis/statistics.h"
#include "analysis/verdict.h"
#include "recording/run.h"

namespace ebbtide {

double normal(SplitMix64& random);  // mean 0, standard deviation 1
double log_uniform(SplitMix64& random, double low, double high);

// What a server does with the memory of its connections, or with the descriptors they bring. All
// sizes in bytes.
struct SimulatedServer {
  // Grows without end: the leak is what is for each connection, bytes or a share of a descriptor.
  double per_connection = 0;
  double per_cycle = 0;
  double per_second = 0;

  // Comes to an end.
  struct WarmUp {
    double size = 0;
    double connections = 1;  // time constant
  };
  std::vector<WarmUp> warm_ups;
  struct Cache {
    double per_entry = 0;
    double entries = 0;  // one a connection until it is full
  };
  std::vector<Cache> caches;

  // Comes and goes.
  double late = 0;              // of each connection of the last dose, until the next replaces it
  std::uint32_t functions = 0;  // chunks of code; in each cycle one may be compiled, or flushed
  double function_size = 0;
  double function_chance = 0;
  double tooth_size = 0;  // a buffer that grows with the connections and is then flushed
  double tooth_connections = 1;
  double missed_chance = 0;  // that a collection misses the garbage of the last dose
  double missed = 0;         // per connection of it

  // What it does with descriptors. Its memory is then not read.
  bool descriptors = false;
  bool regular = false;    // every tenth, say, and not one in ten at random
  std::uint32_t pool = 0;  // as many as ever were needed at once stay, at most so many
  std::uint32_t kept = 0;  // the last so many stay
  double late_share = 0;   // given back only after `late_seconds`
  double late_seconds = 0;

  // How memory is read.
  double reading_noise = 0;  // standard deviation
  bool heavy_tails = false;  // Student's t with three degrees of freedom, not normal
  double linear_area = 0;    // up to so much of an allocation area counts as used
  double outlier_chance = 0;
  double outlier_size = 0;
  double arena = 1;           // memory is taken by so much at a time
  bool keeps_arenas = false;  // and never given back
  bool v8 = true;             // else its anonymous memory is what is read

  // Whether what comes to an end has done so within so much of a run: caches are full, nine tenths
  // of every warm-up have come, buffers were flushed twice, and of what is given back late two
  // thirds are old enough. Before that nobody can tell it from a leak.
  [[nodiscard]] bool steady_after(double connections, double seconds) const;
};

// Kinds of servers, each with a trouble of its own. Of memory first, the last of them with any
// mixture; then of descriptors.
enum class Trouble : std::uint8_t {
  none,
  code,
  warm_up,
  garbage,
  clock,
  late,
  areas,
  outliers,
  cache,
  arenas,
  several,
  no_descriptors,
  pool,
  kept_for_a_while,
  last_ones_kept,
  by_the_clock,
  several_descriptors,
};
inline constexpr std::size_t trouble_count = 17;
bool of_descriptors(Trouble trouble);
std::string_view trouble_name(Trouble trouble);

SimulatedServer draw_server(Trouble trouble, SplitMix64& random);

// A run against such a server as far as it has come. The same seed gives the same noise, whatever
// the server leaks.
class SimulatedRun {
 public:
  SimulatedRun(const SimulatedServer& server, std::uint64_t seed, std::uint32_t cycles,
               std::uint32_t connections = 100);

  void make(std::span<const std::uint32_t> doses);

  [[nodiscard]] const Recording& recording() const { return recording_; }
  [[nodiscard]] double connections() const { return connections_; }
  [[nodiscard]] double seconds() const { return seconds_; }
  // What the verdict is on, unless it is on descriptors.
  [[nodiscard]] GaugeKind gauge() const;
  // The judgement that the leak shows in.
  [[nodiscard]] const Judgement& judgement(const Assessment& assessment) const;

 private:
  double held();
  void read();
  void connect(std::uint32_t dose);
  void keep(std::uint64_t birth_ns, std::uint64_t death_ns);

  SimulatedServer server_;
  SplitMix64 random_;
  Recording recording_;
  std::uint64_t now_ns_ = 1'000'000'000;
  double connections_ = 0;
  double cycles_ = 0;
  double seconds_ = 0;
  double last_dose_ = 0;
  double taken_ = 0;  // by arenas
  std::uint32_t compiled_ = 0;
  std::uint32_t pooled_ = 0;
  std::deque<std::size_t> last_ones_;  // into the recording's resources
};

// Looks as a real run does, with more cycles while nothing is decided. Returns the last look.
Assessment look_until_decided(SimulatedRun& run);

}  // namespace ebbtide
