// The ways a connection ends, on hand-made recordings: what each leaves behind is said once, where
// it belongs, and the main experiment sees nothing of it.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <nlohmann/json.hpp>

#include "analysis/endings/leak_answer.h"
#include "analysis/endings/passes.h"
#include "analysis/report/close_modes_section.h"
#include "analysis/report/json.h"
#include "analysis/report/memory_report.h"
#include "analysis_recordings.h"
#include "recording/names.h"

namespace ebbtide {
namespace {

using testing::HasSubstr;
using testing::StartsWith;
using State = ModeCell::State;

constexpr double kib = 1024;
constexpr double mib = 1024 * kib;
constexpr std::uint8_t established = 1;

// Six cycles in clean, then three of each of the others; a socket is kept when `kept` says so.
RunBuilder run_of(const RunBuilder::Kept& kept, const RunBuilder::Level& heap) {
  RunBuilder run(30);
  run.cycles(6).ending(CloseMode::fin).cycles(3).ending(CloseMode::rst).cycles(3);
  run.gauge(GaugeKind::heap_used, heap).gauge(GaugeKind::fds, constant(27));
  run.gauge(GaugeKind::sockets_accepted, constant(0));
  run.sockets(kept, established);
  return run;
}

bool none(std::uint32_t, std::uint32_t) { return false; }

TEST(CloseModes, NothingIsLeftBehind) {
  const LeakAnswer answer = answer_leak_run(run_of(none, constant(5 * mib)).recording);
  EXPECT_EQ(answer.assessment.verdict, Verdict::no_leak);
  ASSERT_EQ(answer.modes.outcomes.size(), 3u);
  for (const ModeOutcome& outcome : answer.modes.outcomes) {
    EXPECT_EQ(outcome.finding, "");
    EXPECT_EQ(outcome.sockets.state, State::ok);
    EXPECT_EQ(outcome.memory.state, State::ok);
    EXPECT_EQ(outcome.event_loop.state, State::unmeasured) << "no loop was timed";
  }
  EXPECT_EQ(answer.modes.outcomes[0].connections, 180u);
  EXPECT_EQ(answer.modes.outcomes[2].connections, 90u);
}

TEST(CloseModes, SocketsThatOnlyAResetKeeps) {
  const auto kept = [](std::uint32_t cycle, std::uint32_t) { return cycle > 9; };
  const LeakAnswer answer = answer_leak_run(run_of(kept, constant(5 * mib)).recording);
  EXPECT_EQ(answer.assessment.verdict, Verdict::leak);
  EXPECT_EQ(answer.assessment.sentence,
            "LEAK: only when a connection is reset: each leaves 1.00 accepted sockets behind (90 "
            "alive at the end of the run, from 90 connections in 3 cycles).");
  EXPECT_EQ(answer.modes.outcomes[1].sockets.state, State::ok);
  EXPECT_EQ(answer.modes.outcomes[2].sockets.text, "1.00 accepted sockets");
}

// One socket of the last cycle alone may still be on its way.
TEST(CloseModes, SocketsOfOneCycleAreNoLeak) {
  const auto kept = [](std::uint32_t cycle, std::uint32_t) { return cycle == 12; };
  const LeakAnswer answer = answer_leak_run(run_of(kept, constant(5 * mib)).recording);
  EXPECT_EQ(answer.assessment.verdict, Verdict::no_leak);
  EXPECT_EQ(answer.modes.outcomes[2].sockets.text, "ok (30 accepted sockets stay)");
}

TEST(CloseModes, AFloorThatRisesWithEveryCycleOfOneMode) {
  const auto heap = [](double connections, double) {
    return 5 * mib + (connections > 270 ? 64 * kib * (connections - 270) : 0);
  };
  const LeakAnswer answer = answer_leak_run(run_of(none, heap).recording);
  EXPECT_EQ(answer.assessment.verdict, Verdict::leak);
  EXPECT_THAT(
      answer.assessment.sentence,
      StartsWith("LEAK: only when a connection is reset: each leaves 64.0 KB of V8 heap used"));
}

TEST(CloseModes, AFloorThatRisesOnceIsAWarmUp) {
  const auto heap = [](double connections, double) {
    return 5 * mib + (connections > 270 ? 8 * mib : 0);
  };
  const LeakAnswer answer = answer_leak_run(run_of(none, heap).recording);
  EXPECT_EQ(answer.assessment.verdict, Verdict::no_leak);
  EXPECT_EQ(answer.modes.outcomes[2].memory.state, State::ok);
}

TEST(CloseModes, ALeakOfEveryModeIsTheMainExperimentsToTell) {
  const auto heap = [](double connections, double) { return 5 * mib + 64 * kib * connections; };
  const Recording run = run_of(none, heap).recording;
  const LeakAnswer answer = answer_leak_run(run);
  EXPECT_EQ(answer.assessment.sentence, assess(main_part(run)).sentence);
  EXPECT_EQ(answer.modes.outcomes[1].memory.state, State::bad);
}

TEST(CloseModes, ADeathAmongThePassesDoesNotUndoWhatWasMeasured) {
  RunBuilder run(30);
  run.cycles(6).ending(CloseMode::early).cycle().sockets(none, established).cut_off(12);
  run.recording.run.plan.close_modes = "clean,early,wrong_path";
  run.gauge(GaugeKind::heap_used, constant(5 * mib)).gauge(GaugeKind::fds, constant(27));
  run.recording.end = {EndReason::target_exited, "code 1", run.recording.cycles.back().end_ns};
  const LeakAnswer answer = answer_leak_run(run.recording);
  EXPECT_EQ(answer.assessment.verdict, Verdict::no_leak);
  EXPECT_THAT(answer.assessment.sentence,
              StartsWith("The server dies when a connection is reset before its first answer: the "
                         "target exited (code 1) "));
  EXPECT_THAT(answer.assessment.sentence, HasSubstr(", in cycle 8. NO LEAK: "));
  EXPECT_EQ(answer.modes.deadly, CloseMode::early);
  EXPECT_EQ(answer.modes.outcomes[1].process.text, "died");
  EXPECT_EQ(answer.modes.outcomes[2].process.state, State::unmeasured);
}

// Where the end of the run is told, it is the whole run's, not the main experiment's.
TEST(CloseModes, EveryReportTellsHowTheRunEndedInAPass) {
  RunBuilder run(30);
  run.cycles(6).ending(CloseMode::early).cycle().sockets(none, established).cut_off(12);
  run.gauge(GaugeKind::heap_used, constant(5 * mib)).gauge(GaugeKind::fds, constant(27));
  run.recording.run.start_ns = run.recording.cycles.front().start_ns;
  const std::uint64_t end_ns = run.recording.run.start_ns + 90 * second_ns;
  for (const auto& [reason, how] :
       {std::pair{EndReason::target_exited, "ended because the target exited"},
        std::pair{EndReason::interrupted, "was interrupted"}}) {
    run.recording.end = {reason, "", end_ns};
    const LeakAnswer answer = answer_leak_run(run.recording);
    const std::string ended = std::string(how) +
                              " after 1 min 30 s, in cycle 8 (--close "
                              "early), which is not counted";
    EXPECT_THAT(memory_summary_text(run.recording, answer), HasSubstr("Run     " + ended + "\n"));
    const std::string report = memory_report(run.recording, answer);
    EXPECT_THAT(report, HasSubstr("| the run " + ended + " "));
    EXPECT_EQ(report.find("Nothing to fix") != std::string::npos, reason == EndReason::interrupted);
    const auto conditions =
        nlohmann::json::parse(results_json(run.recording, answer))["conditions"];
    EXPECT_EQ(conditions["end"], name_of(reason));
    EXPECT_EQ(conditions["end_seconds"], 90);
    EXPECT_EQ(conditions["end_cycle"], 8);
    EXPECT_EQ(conditions["end_close_mode"], "early");
  }
}

TEST(CloseModes, ADeathInTheMainExperimentIsNotTheModes) {
  RunBuilder run(30);
  run.cycles(2).cut_off(12);
  run.recording.run.plan.close_modes = "clean,rst";
  run.recording.end = {EndReason::target_exited, "code 1", run.recording.cycles.back().end_ns};
  EXPECT_FALSE(answer_leak_run(run.recording).modes.deadly);
}

// What a variable of the server keeps after one cycle of 29 silent clients.
ModeOutcome silent_clients_leave(std::uint64_t entries) {
  RunBuilder run(29);
  run.cycles(4).ending(CloseMode::half_open).cycle().sockets(none, established);
  Recording& recording = run.recording;
  recording.heap_paths = {
      {1, 0, "main", PathStep::root, "", "(JavaScript roots)", {}},
      {2, 1, "main", PathStep::variable, "kept", "Map", {"/srv/server.js", 4, 1}},
      {3, 2, "main", PathStep::element, "", "Session", {"/srv/server.js", 9, 1}}};
  for (const std::uint32_t cycle : {4u, 5u}) {
    const std::uint64_t now = 7 + (cycle == 5 ? entries : 0);
    recording.heap_censuses.push_back({.cycle = cycle, .isolate = "main"});
    recording.heap_path_levels.push_back({cycle, 2, 1, 32, now * 500, now});
    recording.heap_path_levels.push_back({cycle, 3, now, now * 100, now * 450, 0});
  }
  return answer_leak_run(recording).modes.outcomes.at(1);
}

TEST(CloseModes, OneCycleOfSilentClientsTellsWholeNumbers) {
  for (const std::uint64_t each : {1, 2}) {
    const ModeOutcome outcome = silent_clients_leave(each * 29);
    EXPECT_EQ(outcome.memory.state, State::bad);
    EXPECT_THAT(outcome.finding,
                StartsWith(each == 1 ? "each leaves 1.00 Session behind (7 → 36 "
                                     : "each leaves 2.00 Session behind (7 → 65 "));
  }
  EXPECT_EQ(silent_clients_leave(0).memory.state, State::ok);
  EXPECT_EQ(silent_clients_leave(5).memory.state, State::ok) << "a pool of its own";
  const ModeOutcome open = silent_clients_leave(30);
  EXPECT_EQ(open.memory.state, State::unmeasured);
  EXPECT_EQ(open.finding, "");
  EXPECT_THAT(open.remark,
              HasSubstr("cannot tell whether it is a leak or a warm-up that server.js:4 "
                        "kept (Map) → Session keeps 1.03 Session per connection"));
}

TEST(CloseModes, HowSoonASilentClientIsNoticed) {
  RunBuilder run(10);
  run.cycles(4).ending(CloseMode::half_open).cycle();
  run.sockets(none, established);
  const std::uint64_t silent_ns = run.recording.cycles.back().start_ns + 400'000'000;
  for (Connection& connection : run.recording.connections) {
    if (connection.close_mode != CloseMode::half_open) continue;
    connection.server_closed = true;
    connection.closed_ns = silent_ns + 2 * second_ns;
  }
  EXPECT_THAT(answer_leak_run(run.recording).modes.outcomes[1].remark,
              HasSubstr("noticed after 2.00 s that"));
  run.recording.connections.back().server_closed = false;
  run.recording.connections.back().closed_ns = silent_ns + 5 * second_ns;
  EXPECT_THAT(answer_leak_run(run.recording).modes.outcomes[1].remark,
              HasSubstr("of 1 connection it did not within 5.00 s"));
}

TEST(CloseModes, ALoopThatIsBlockedOnlyByResets) {
  RunBuilder run = run_of(none, constant(5 * mib));
  for (const Cycle& cycle : run.recording.cycles) {
    const std::uint64_t longest = cycle.close_mode == CloseMode::rst ? 300'000'000 : 12'000'000;
    run.recording.loop_activities.push_back({.cycle = cycle.number,
                                             .phase = Phase::close,
                                             .turns = 100,
                                             .busy_ns = longest,
                                             .waiting_ns = second_ns,
                                             .longest_ns = longest});
  }
  const LeakAnswer answer = answer_leak_run(run.recording);
  EXPECT_EQ(answer.modes.outcomes[1].event_loop.state, State::ok);
  EXPECT_EQ(answer.modes.outcomes[2].event_loop.text, "blocked for 300 ms");
  EXPECT_EQ(close_modes_lines(answer.modes), "Ends    rst: event loop: blocked for 300 ms\n");
  EXPECT_THAT(close_modes_section(answer.modes), HasSubstr("**blocked for 300 ms**"));
}

// A machine with too few CPUs makes a turn long now and then.
TEST(CloseModes, OneLongTurnIsNotABlockedLoop) {
  RunBuilder run = run_of(none, constant(5 * mib));
  for (const Cycle& cycle : run.recording.cycles) {
    const std::uint64_t longest = cycle.number == 11 ? 900'000'000 : 12'000'000;
    run.recording.loop_activities.push_back({.cycle = cycle.number,
                                             .phase = Phase::close,
                                             .turns = 100,
                                             .busy_ns = longest,
                                             .waiting_ns = second_ns,
                                             .longest_ns = longest});
  }
  const LeakAnswer answer = answer_leak_run(run.recording);
  EXPECT_EQ(answer.modes.outcomes[2].event_loop.state, State::ok);
}

TEST(CloseModes, TheMainPartKnowsNothingOfThePasses) {
  const auto kept = [](std::uint32_t cycle, std::uint32_t) { return cycle > 6; };
  const Recording run = run_of(kept, constant(5 * mib)).recording;
  const Recording main = main_part(run);
  EXPECT_EQ(main.cycles.size(), 6u);
  EXPECT_EQ(main.connections.size(), 180u);
  EXPECT_EQ(main.resources.size(), 180u);
  for (const Gauge& gauge : main.gauges) EXPECT_LE(gauge.cycle, 6u);
  EXPECT_EQ(pass_part(run, CloseMode::rst).cycles.size(), 3u);
}

TEST(CloseModes, ARunOfOneModeHasNoMatrix) {
  RunBuilder run(30);
  run.cycles(6).sockets(none, established);
  const LeakAnswer answer = answer_leak_run(run.recording);
  EXPECT_FALSE(answer.modes.several());
  EXPECT_EQ(close_modes_section(answer.modes), "");
}

}  // namespace
}  // namespace ebbtide
