#include "tracer/loop_table.h"

#include <algorithm>
#include <unordered_map>

#include "tracer/birth.h"

namespace ebbtide {
namespace {

// When in its round a thread ran is not known: it is spread evenly.
std::uint64_t share_of(std::uint64_t amount, std::uint64_t part_ns, std::uint64_t whole_ns) {
  return static_cast<std::uint64_t>(static_cast<double>(amount) * static_cast<double>(part_ns) /
                                    static_cast<double>(whole_ns));
}

}  // namespace

LoopTable::LoopTable(std::uint64_t start_ns, Sink sink)
    : sink_(std::move(sink)), phases_{{start_ns, 0}}, written_until_ns_(start_ns) {}

void LoopTable::begin_phase(std::uint32_t epoch, std::uint64_t start_ns) {
  if (epoch != phases_.back().epoch) phases_.push_back({start_ns, epoch});
}

void LoopTable::take(const ebb_header& header, std::size_t size) {
  const void* record = &header;
  if (header.type == EBB_EVENT_LOOP && size >= sizeof(ebb_loop_event)) {
    const auto& event = *static_cast<const ebb_loop_event*>(record);
    rounds_.push_back({header.tid, event.loop, header.ts_ns, true, event.cpu_ns, event.delayed_ns});
  } else if (header.type == EBB_EVENT_STALL && size >= sizeof(ebb_stall_event)) {
    const auto& event = *static_cast<const ebb_stall_event*>(record);
    sink_(LoopStall{.cycle = cycle_of(header.epoch),
                    .phase = phase_of(header.epoch),
                    .pid = static_cast<std::int32_t>(header.tgid),
                    .tid = static_cast<std::int32_t>(header.tid),
                    .start_ns = event.start_ns,
                    .duration_ns = event.duration_ns});
  }
}

void LoopTable::write(const OpenLoops& open) { write_until(open, phases_.back().start_ns); }

void LoopTable::finish(const OpenLoops& open, std::uint64_t now_ns) {
  for (const auto& [tid, loop] : open) {
    if (loop.wait_start_ns != 0 || now_ns < loop.turn_start_ns + EBB_STALL_NS) continue;
    sink_(LoopStall{.cycle = cycle_of(loop.epoch),
                    .phase = phase_of(loop.epoch),
                    .pid = static_cast<std::int32_t>(loop.tgid),
                    .tid = static_cast<std::int32_t>(tid),
                    .start_ns = loop.turn_start_ns,
                    .duration_ns = now_ns - loop.turn_start_ns});
  }
  write_until(open, now_ns);
}

LoopActivity& LoopTable::row(const PhaseStart& phase, const Round& round) {
  LoopActivity& row = rows_[{phase.start_ns, round.tid}];
  row.cycle = cycle_of(phase.epoch);
  row.phase = phase_of(phase.epoch);
  row.pid = static_cast<std::int32_t>(round.loop.tgid);
  row.tid = static_cast<std::int32_t>(round.tid);
  return row;
}

// Nothing when the round's phase has been written: then the map was read in between, and the sums
// with it.
void LoopTable::add_sums(const Round& round) {
  const auto phase = std::find_if(phases_.begin(), phases_.end(), [&](const PhaseStart& each) {
    return each.epoch == round.loop.epoch;
  });
  if (phase == phases_.end()) return;
  LoopActivity& sums = row(*phase, round);
  sums.turns += round.loop.turns;
  sums.busy_ns += round.loop.busy_ns;
  sums.waiting_ns += round.loop.waiting_ns;
  sums.cpu_ns += round.loop.cpu_ns;
  sums.delayed_ns += round.loop.delayed_ns;
  if (round.loop.longest_ns <= sums.longest_ns) return;
  sums.longest_ns = round.loop.longest_ns;
  sums.longest_start_ns = round.loop.longest_start_ns;
}

void LoopTable::add_round(const Round& round) {
  const std::uint64_t turn_start_ns = round.loop.turn_start_ns;
  const bool turn_over = round.over || round.loop.wait_start_ns != 0;
  const std::uint64_t turn_end_ns =
      round.loop.wait_start_ns != 0 ? round.loop.wait_start_ns : round.end_ns;
  for (std::size_t i = 0; i < phases_.size(); i++) {
    const std::uint64_t phase_end_ns =
        i + 1 < phases_.size() ? phases_[i + 1].start_ns : UINT64_MAX;
    const std::uint64_t from_ns = std::max({phases_[i].start_ns, turn_start_ns, written_until_ns_});
    const std::uint64_t until_ns = std::min(phase_end_ns, round.end_ns);
    if (from_ns >= until_ns) continue;
    LoopActivity& part = row(phases_[i], round);
    const std::uint64_t busy_until_ns = std::clamp(turn_end_ns, from_ns, until_ns);
    part.busy_ns += busy_until_ns - from_ns;
    part.waiting_ns += until_ns - busy_until_ns;
    part.cpu_ns += share_of(round.cpu_ns, until_ns - from_ns, round.end_ns - turn_start_ns);
    part.delayed_ns += share_of(round.delayed_ns, until_ns - from_ns, round.end_ns - turn_start_ns);
    if (turn_end_ns <= from_ns) continue;  // it only waited in this phase
    if (turn_over && turn_end_ns <= until_ns) part.turns++;
    const std::uint64_t turn_ns = turn_end_ns - turn_start_ns;
    if (turn_ns <= part.longest_ns) continue;
    part.longest_ns = turn_ns;
    part.longest_start_ns = turn_start_ns;
  }
}

void LoopTable::write_until(const OpenLoops& open, std::uint64_t limit_ns) {
  std::unordered_map<std::uint32_t, std::uint64_t> ended;  // start of the last such round, by tid
  for (const Round& round : rounds_) {
    add_sums(round);
    add_round(round);
    ended[round.tid] = round.loop.turn_start_ns;
  }
  rounds_.clear();
  const bool all = limit_ns > phases_.back().start_ns;
  for (const auto& [tid, loop] : open) {
    const auto last = ended.find(tid);
    if (last != ended.end() && last->second >= loop.turn_start_ns) continue;  // since the look
    // The part beyond the limit comes with the next look, or with the record of the round's end.
    const Round round{tid, loop, limit_ns, false};
    if (all || loop.epoch != phases_.back().epoch) add_sums(round);
    if (loop.turn_start_ns < limit_ns) add_round(round);
  }
  std::erase_if(rows_, [&](const auto& entry) {
    if (entry.first.first >= limit_ns) return false;
    sink_(entry.second);
    return true;
  });
  phases_.erase(phases_.begin(), phases_.end() - 1);
  written_until_ns_ = limit_ns;
}

}  // namespace ebbtide
