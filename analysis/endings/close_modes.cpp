#include "analysis/endings/close_modes.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <map>

#include "analysis/endings/mode_cells.h"
#include "analysis/endings/passes.h"
#include "analysis/format.h"
#include "analysis/join.h"
#include "analysis/sentence.h"
#include "analysis/survivors.h"
#include "recording/span.h"

namespace ebbtide {
namespace {

using State = ModeCell::State;

constexpr std::array socket_kinds = {ResourceKind::accepted_socket, ResourceKind::outgoing_socket};
constexpr std::array fd_kinds = {ResourceKind::fd, ResourceKind::thread, ResourceKind::child};

struct ModesInput {
  const Recording& run;
  const Recording& main;
  const std::vector<CohortSurvivors> survivors;  // of the whole run
  const Assessment& assessment;                  // of the main experiment
};

// Where the server died, when that was behind the main experiment.
std::optional<CutOff> death_in_a_pass(const Recording& run) {
  switch (run.end.reason) {
    case EndReason::target_exited:
    case EndReason::target_killed:
    case EndReason::target_oom_killed:
    case EndReason::target_exec:
      break;
    default:
      return std::nullopt;
  }
  const auto where = cut_off(run);
  return where && where->pass ? where : std::nullopt;
}

// The main experiment decides by its own judgements.
CellFinding main_memory(const Assessment& assessment) {
  bool decided = false;
  for (const Judgement& judgement : assessment.judgements) {
    if (!judgement.decisive || judgement.unit != Unit::bytes) continue;
    if (judgement.verdict == Verdict::leak)
      return {{State::bad, "+" + amount_text(judgement.per_connection, judgement.unit)}, ""};
    decided = decided || judgement.verdict != Verdict::inconclusive;
  }
  return {decided ? ModeCell{State::ok, "ok"} : ModeCell{}, ""};
}

std::optional<Notice> notice_in(const Recording& pass) {
  std::map<std::uint32_t, std::uint64_t> silent_since;
  for (const PhaseSpan& span : pass.phases) {
    if (span.phase == Phase::close) silent_since[span.cycle] = span.start_ns;
  }
  Notice notice;
  for (const Connection& connection : pass.connections) {
    if (connection.established_ns == 0 || !silent_since.contains(connection.cycle)) continue;
    const double seconds = span_seconds(silent_since.at(connection.cycle), connection.closed_ns);
    if (connection.server_closed) {
      notice.soonest = notice.noticed == 0 ? seconds : std::min(notice.soonest, seconds);
      notice.latest = std::max(notice.latest, seconds);
      ++notice.noticed;
    } else {
      notice.waited = std::max(notice.waited, seconds);
      ++notice.unnoticed;
    }
  }
  return notice.noticed + notice.unnoticed > 0 ? std::optional(notice) : std::nullopt;
}

// "the server noticed after 2.00–2.40 s", "the server did not notice within 5.00 s".
std::string notice_text(const Notice& notice) {
  if (notice.noticed == 0) {
    return fmt::format(
        "the server did not notice within {} that nobody answers any more "
        "(--half-open-time waits longer)",
        duration_text(notice.waited));
  }
  const std::string soonest = duration_text(notice.soonest);
  const std::string latest = duration_text(notice.latest);
  std::string text = fmt::format("the server noticed after {} that nobody answers any more",
                                 soonest == latest ? latest : soonest + "–" + latest);
  if (notice.unnoticed > 0)
    text += fmt::format("; of {} it did not within {}", counted(notice.unnoticed, "connection"),
                        duration_text(notice.waited));
  return text;
}

std::vector<CohortSurvivors> born_in(const ModesInput& input,
                                     const std::vector<std::uint32_t>& cycles) {
  std::vector<CohortSurvivors> born;
  std::ranges::copy_if(input.survivors, std::back_inserter(born), [&](const auto& row) {
    return std::ranges::find(cycles, row.cycle) != cycles.end();
  });
  return born;
}

ModeOutcome outcome_of(const ModesInput& input, CloseMode mode, bool is_main) {
  ModeOutcome outcome;
  outcome.mode = mode;
  std::vector<std::uint32_t> cycles;
  std::uint64_t through = 0;
  for (const Cycle& cycle : input.run.cycles) {
    if (cycle.close_mode != mode || cycle.dose == 0) continue;
    cycles.push_back(cycle.number);
    through += cycle.established;
  }
  outcome.cycles = static_cast<std::uint32_t>(cycles.size());
  for (const Connection& connection : input.run.connections) {
    const bool finished = std::ranges::find(cycles, connection.cycle) != cycles.end();
    if (finished && connection.connected_ns != 0) ++outcome.connections;
  }
  if (cycles.empty()) {
    outcome.remark = "not tried to the end";
    return outcome;
  }
  if (outcome.connections == 0 || through == 0) {
    outcome.remark = "no connection got far enough to end like this";
    return outcome;
  }
  outcome.process = {State::ok, "alive"};
  const std::vector<CohortSurvivors> born = born_in(input, cycles);
  const Recording pass = is_main ? Recording() : pass_part(input.run, mode);
  const CellFinding sockets = kept_resources(input.run, born, outcome.connections, socket_kinds);
  const CellFinding fds = kept_resources(input.run, born, outcome.connections, fd_kinds);
  const CellFinding memory = is_main ? main_memory(input.assessment) : growing_memory(pass);
  outcome.sockets = sockets.cell;
  outcome.fds = fds.cell;
  outcome.memory = memory.cell;
  outcome.event_loop = event_loop_cell(is_main ? input.main : pass, input.main);
  for (const CellFinding* each : {&sockets, &fds, &memory}) {
    if (outcome.finding.empty()) outcome.finding = each->finding;
  }
  outcome.remark = memory.remark;
  if (mode == CloseMode::half_open && !is_main) outcome.notice = notice_in(pass);
  if (outcome.notice) {
    outcome.remark =
        notice_text(*outcome.notice) + (memory.remark.empty() ? "" : "; " + memory.remark);
  }
  return outcome;
}

}  // namespace

bool is_measured(const ModeOutcome& outcome) {
  return outcome.sockets.state == State::ok && outcome.fds.state == State::ok &&
         outcome.memory.state == State::ok;
}

CloseModes assess_close_modes(const Recording& run, const Recording& main,
                              const Assessment& assessment) {
  CloseModes modes;
  const std::vector<CloseMode> planned = planned_modes(run);
  if (planned.size() < 2) return modes;
  if (const auto death = death_in_a_pass(run)) {
    modes.deadly = death->pass;
    modes.death = fmt::format("{} after {}, {} cycle {}", end_text(run.end),
                              span_text(run.run.start_ns, run.end.end_ns),
                              death->finished ? "behind" : "in", death->cycle);
  }
  const ModesInput input{run, main, find_survivors(run, join_sockets(run)), assessment};
  for (const CloseMode mode : planned) {
    ModeOutcome outcome = outcome_of(input, mode, mode == main_mode(run));
    if (modes.deadly == mode) {
      outcome.process = {State::bad, "died"};
      outcome.remark = "";
    }
    modes.outcomes.push_back(std::move(outcome));
  }
  return modes;
}

}  // namespace ebbtide
