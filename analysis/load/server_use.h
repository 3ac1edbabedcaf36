// Answers: what did a level or a broadcast take of the server: CPU, event loop, memory? What was
// not measured is absent, never zero.
#pragma once

#include <cstdint>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "analysis/readings.h"
#include "recording/names.h"
#include "recording/run.h"

namespace ebbtide {

// CPU time of the target in one phase, over the phase's length.
struct CpuUse {
  Phase phase = Phase::open;
  double span_seconds = 0;
  double user_seconds = 0;
  double system_seconds = 0;
};

// The busiest thread's event loop in one phase.
struct LoopUse {
  Phase phase = Phase::open;
  std::int32_t tid = 0;
  double busy_share = 0;
  double longest_seconds = 0;     // its longest turn
  double longest_at_seconds = 0;  // when that began, since the cycle did
  double delayed_share = 0;       // ready to run, but others had the CPU; most of it looks busy
};

// A level of memory, fds or the like through one cycle. `kinds` are summed; a reading that lacks
// one of them is absent.
struct LevelOfUse {
  std::string subject;
  Unit unit = Unit::bytes;
  std::vector<GaugeKind> kinds;
  std::optional<double> floor = {};    // settled, before the cycle
  std::optional<double> opened = {};   // all connections up
  std::optional<double> held = {};     // at the end of the hold
  std::optional<double> settled = {};  // after the close

  [[nodiscard]] std::optional<double> growth() const;    // held - floor
  [[nodiscard]] std::optional<double> returned() const;  // share of the growth; none without one
};

// Phases whose two ends were read, in order.
std::vector<CpuUse> cpu_uses(const Recording& recording, const Readings& readings,
                             std::uint32_t cycle);

// Threads that wait for events and for nothing else. Runtimes that park their threads elsewhere
// (Go, Tokio) have none: between two waits of such a thread passes what others of it work off.
std::set<std::int32_t> loop_threads(const Recording& recording);

// Phases in which a loop was seen, in order.
std::vector<LoopUse> loop_uses(const Recording& recording, std::uint32_t cycle);

// RSS, PSS, reachable heap, heap with Buffers, the kernel's socket memory, fds: those that were
// read in the cycle.
std::vector<LevelOfUse> levels_of_use(const Readings& readings, std::uint32_t cycle);

// When the cycle began: its first phase. 0 when none is recorded.
std::uint64_t start_of_cycle(const Recording& recording, std::uint32_t cycle);

const PhaseSpan* phase_of(const Recording& recording, std::uint32_t cycle, Phase phase);

// CPU of the driver in a phase, as a share of it.
std::optional<double> driver_share(const Recording& recording, std::uint32_t cycle, Phase phase);

const CpuUse* use_in(const std::vector<CpuUse>& uses, Phase phase);
const LoopUse* use_in(const std::vector<LoopUse>& uses, Phase phase);

// ", 40 % of the time ready to run while others had the CPU"; "" when that was seldom.
std::string delay_text(const LoopUse& use);
bool is_delayed(const LoopUse& use);

// The longest turn of all phases; nullptr without one.
const LoopUse* longest_turn(const std::vector<LoopUse>& uses);

}  // namespace ebbtide
