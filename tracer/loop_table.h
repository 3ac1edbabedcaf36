// Answers: how busy was each thread's event loop in each phase? Takes the sums that the kernel side
// keeps within a phase, and divides the rounds that cross from one phase into others.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <map>
#include <utility>
#include <vector>

#include "bpf/event.h"
#include "recording/run.h"

namespace ebbtide {

class LoopTable {
 public:
  using Sink = std::function<void(Record)>;
  using OpenLoops = std::vector<std::pair<std::uint32_t, ebb_loop>>;  // by tid

  // The first phase, epoch 0, begins at `start_ns`.
  LoopTable(std::uint64_t start_ns, Sink sink);

  void begin_phase(std::uint32_t epoch, std::uint64_t start_ns);

  // One ring buffer record; those of other kinds are passed over.
  void take(const ebb_header& header, std::size_t size);

  // Writes the phases that are over. `open`: what the kernel's map said before the last record was
  // taken.
  void write(const OpenLoops& open);

  // Writes all of them: the run ends at `now_ns`.
  void finish(const OpenLoops& open, std::uint64_t now_ns);

 private:
  struct PhaseStart {
    std::uint64_t start_ns = 0;
    std::uint32_t epoch = 0;
  };
  struct Round {
    std::uint32_t tid = 0;
    ebb_loop loop{};
    std::uint64_t end_ns = 0;
    bool over = false;         // else it goes on after end_ns
    std::uint64_t cpu_ns = 0;  // known when it is over
    std::uint64_t delayed_ns = 0;
  };

  LoopActivity& row(const PhaseStart& phase, const Round& round);
  void add_sums(const Round& round);
  void add_round(const Round& round);
  void write_until(const OpenLoops& open, std::uint64_t limit_ns);

  Sink sink_;
  std::vector<PhaseStart> phases_;  // those not written yet; never empty
  std::uint64_t written_until_ns_;
  std::vector<Round> rounds_;  // wait for the phases they cross to be known
  std::map<std::pair<std::uint64_t, std::uint32_t>, LoopActivity> rows_;  // by phase start and tid
};

}  // namespace ebbtide
