// Recordings that no healthy run makes: nothing or little finished, rows that are missing, clocks
// that step, values of a damaged file. Every report is made, says no verdict that it cannot know,
// and holds numbers only.
#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <nlohmann/json.hpp>
#include <regex>
#include <set>

#include "analysis/compare/compare.h"
#include "analysis/endings/leak_answer.h"
#include "analysis/report/broadcast_report.h"
#include "analysis/report/compare_report.h"
#include "analysis/report/connections_report.h"
#include "analysis/report/json.h"
#include "analysis/report/memory_report.h"
#include "analysis/report/summary_report.h"
#include "analysis_recordings.h"
#include "load_recordings.h"

namespace ebbtide {
namespace {

using testing::HasSubstr;
using Json = nlohmann::json;

constexpr double kib = 1024;
constexpr std::uint8_t close_wait = 8;

struct Oddity {
  std::string name;
  std::function<void(Recording&)> make;
};

std::vector<Oddity> oddities() {
  return {
      {"nothing finished", [](Recording& run) { run.cycles.clear(); }},
      {"one cycle",
       [](Recording& run) { run.cycles.resize(std::min<std::size_t>(1, run.cycles.size())); }},
      {"a cycle in the middle is missing",
       [](Recording& run) {
         std::erase_if(run.cycles, [](const Cycle& row) { return row.number == 2; });
       }},
      {"every other reading is missing",
       [](Recording& run) {
         std::erase_if(run.gauges, [](const Gauge& row) { return row.cycle % 2 == 1; });
       }},
      {"no readings", [](Recording& run) { run.gauges.clear(); }},
      {"no phases", [](Recording& run) { run.phases.clear(); }},
      {"no connections", [](Recording& run) { run.connections.clear(); }},
      {"no end", [](Recording& run) { run.end = {}; }},
      {"an end before the start", [](Recording& run) { run.end.end_ns = 1; }},
      {"cycles of no connections that came through",
       [](Recording& run) {
         for (Cycle& row : run.cycles) row.established = 0;
       }},
      {"all readings equal",
       [](Recording& run) {
         for (Gauge& row : run.gauges) row.value = 4096;
       }},
      {"readings at the ends of the range",
       [](Recording& run) {
         for (Gauge& row : run.gauges) row.value = row.cycle % 2 == 0 ? INT64_MAX : INT64_MIN;
       }},
      {"a clock that stood still",
       [](Recording& run) {
         for (Gauge& row : run.gauges) row.ts_ns = 7;
         for (Cycle& row : run.cycles) row.start_ns = row.end_ns = 7;
         for (PhaseSpan& row : run.phases) row.start_ns = row.end_ns = 7;
         for (Trigger& row : run.triggers)
           row.sent_ns = row.answered_ns = row.first_ns = row.last_ns = 7;
       }},
      {"a clock that stepped back",
       [](Recording& run) {
         const auto back = [](std::uint64_t& ns) {
           ns -= std::min<std::uint64_t>(ns, 500 * second_ns);
         };
         for (Gauge& row : run.gauges)
           if (row.cycle > 2) back(row.ts_ns);
         for (Cycle& row : run.cycles)
           if (row.number == 3) back(row.end_ns);
         for (PhaseSpan& row : run.phases)
           if (row.cycle > 2) back(row.start_ns);
         for (Connection& row : run.connections)
           if (row.cycle > 1) back(row.established_ns);
         for (Trigger& row : run.triggers)
           if (row.number > 50) back(row.last_ns);
       }},
      {"a clock that stepped on by 500 years",
       [](Recording& run) {
         for (Gauge& row : run.gauges)
           if (row.cycle > 2) row.ts_ns = UINT64_MAX - row.cycle;
         for (Cycle& row : run.cycles)
           if (row.number > 2) row.end_ns = UINT64_MAX;
         for (Trigger& row : run.triggers)
           if (row.number > 50) row.last_ns = UINT64_MAX;
         for (LoopActivity& row : run.loop_activities) row.longest_ns = row.busy_ns = UINT64_MAX;
         run.end.end_ns = UINT64_MAX;
       }},
      {"counts at the end of their range",
       [](Recording& run) {
         for (Cycle& row : run.cycles) row.dose = row.established = UINT32_MAX;
         for (Trigger& row : run.triggers) row.expected = row.delivered = UINT64_MAX;
         for (DriverLoad& row : run.driver_loads) row.cpu_ns = UINT64_MAX;
       }},
      {"nothing at all", [](Recording& run) { run = {}; }},
  };
}

// The numbers that printf, {fmt} and JSON make of no number, as words of their own.
void expect_numbers_only(const std::string& text) {
  static const std::regex no_number("(^|[^A-Za-z_])-?−?(nan|inf|infinity)([^A-Za-z_]|$)",
                                    std::regex::icase);
  std::smatch found;
  EXPECT_FALSE(std::regex_search(text, found, no_number))
      << text.substr(std::max<std::ptrdiff_t>(0, found.position() - 200), 400);
}

// JSON has no NaN: what is none became null. These are null when something was not measured.
void expect_no_hidden_nan(const Json& json, const std::string& at,
                          const std::set<std::string>& optional) {
  EXPECT_TRUE(!json.is_null() || optional.contains(at)) << at;
  if (json.is_object()) {
    for (const auto& [key, value] : json.items()) expect_no_hidden_nan(value, key, optional);
  } else if (json.is_array()) {
    for (const Json& value : json) expect_no_hidden_nan(value, at, optional);
  }
}

struct Told {
  std::string markdown, json, terminal;
};

Told tell(const Recording& run) {
  switch (run.run.kind) {
    case RunKind::connections: {
      const LevelsAssessment levels = assess_levels(run);
      return {connections_report(levels, run), connections_json(levels, run),
              connections_summary_text(levels, run)};
    }
    case RunKind::broadcast: {
      const BroadcastAssessment broadcast = assess_broadcast(run);
      return {broadcast_report(broadcast, run), broadcast_json(broadcast, run),
              broadcast_summary_text(broadcast, run)};
    }
    case RunKind::leak:
      break;
  }
  const LeakAnswer answer = answer_leak_run(run);
  return {memory_report(run, answer), results_json(run, answer), memory_summary_text(run, answer)};
}

Recording leak_run() {
  RunBuilder run(30);
  run.cycles(3)
      .idle()
      .cycles(6)
      .ending(CloseMode::rst)
      .cycles(3)
      .ending(CloseMode::half_open)
      .cycle();
  run.gauge(GaugeKind::heap_used, [](double connections, double seconds) {
    return 5e6 + 64 * kib * connections + 3 * kib * std::fmod(seconds, 3);
  });
  run.gauge(GaugeKind::external, constant(1e6)).gauge(GaugeKind::fds, constant(27));
  run.gauge(GaugeKind::rss, constant(6e7)).gauge(GaugeKind::heap_total, constant(9e6));
  run.sockets([](auto, auto index) { return index == 0; }, close_wait);
  for (const Cycle& cycle : run.recording.cycles) {
    run.recording.loop_activities.push_back(
        {.cycle = cycle.number, .phase = Phase::close, .turns = 9, .busy_ns = 5, .waiting_ns = 9});
  }
  return run.recording;
}

std::vector<Recording> sound_runs() {
  LevelsRun levels;
  levels.levels({10, 100, 500});
  return {leak_run(), levels.recording, BroadcastRun().recording};
}

TEST(OddRecordings, EveryReportIsMadeOfNumbers) {
  const std::set<std::string> optional = {
      "end_cycle", "end_close_mode", "soonest_seconds", "latest_seconds", "waited_seconds",
      // of loads: what was not read, or has too little to go by
      "held_over_floor_bytes", "held_over_floor_count", "returned_share", "establish_seconds",
      "listen_overflows", "listen_drops", "received_per_second", "sent_per_second",
      "tool_cpu_share", "per_connection_bytes", "largest_level_bytes_per_connection",
      "share_of_trigger_time", "lost", "slow_readers", "send_queue_growth_bytes", "slow_readers",
      "process_growth_bytes", "unread_at_most_bytes", "level", "triggers_per_second",
      "deliveries_per_second", "share_before_first_client", "share_before_answer",
      "cpu_user_per_delivery_seconds", "cpu_system_per_delivery_seconds", "rss_peak_bytes"};
  for (const Recording& sound : sound_runs()) {
    for (const Oddity& oddity : oddities()) {
      SCOPED_TRACE(fmt::format("{}: {}", static_cast<int>(sound.run.kind), oddity.name));
      Recording odd = sound;
      oddity.make(odd);
      const Told told = tell(odd);
      for (const std::string& text : {told.markdown, told.json, told.terminal})
        expect_numbers_only(text);
      expect_no_hidden_nan(Json::parse(told.json), "", optional);
      expect_numbers_only(summary_report({{odd.run.kind, odd, ""}}));
      for (const Comparison& comparison : {compare(sound, odd), compare(odd, sound)}) {
        const CompareResult result{{{"a", "b", comparison}}, {}};
        for (const std::string& text :
             {compare_report(result), compare_json(result), compare_text(result)})
          expect_numbers_only(text);
      }
    }
  }
}

// The run leaks in each of its cycles: nothing that is missing or damaged clears it.
TEST(OddRecordings, NothingIsClearedByWhatIsMissing) {
  for (const Oddity& oddity : oddities()) {
    Recording odd = leak_run();
    oddity.make(odd);
    const LeakAnswer answer = answer_leak_run(odd);
    EXPECT_THAT(answer.assessment.verdict, testing::AnyOf(Verdict::leak, Verdict::inconclusive))
        << oddity.name << ": " << answer.assessment.sentence;
    EXPECT_THAT(memory_report(odd, answer), testing::Not(HasSubstr("Nothing to fix")))
        << oddity.name;
  }
}

TEST(OddRecordings, TooFewCyclesSayHowManyItTakes) {
  for (const std::uint32_t cycles : {0u, 1u, 2u, 3u}) {
    RunBuilder run(30);
    run.cycles(cycles);
    run.gauge(GaugeKind::heap_used, constant(5e6)).gauge(GaugeKind::fds, constant(27));
    run.sockets([](auto, auto) { return false; }, close_wait);
    run.recording.run.plan.cycles = cycles;
    const LeakAnswer answer = answer_leak_run(run.recording);
    EXPECT_EQ(answer.assessment.verdict, Verdict::inconclusive) << cycles;
    EXPECT_THAT(memory_summary_text(run.recording, answer),
                HasSubstr("Next    run again with --cycles 10"))
        << cycles;
    EXPECT_THAT(memory_report(run.recording, answer), HasSubstr("run again with --cycles 10"))
        << cycles;
  }
}

}  // namespace
}  // namespace ebbtide
