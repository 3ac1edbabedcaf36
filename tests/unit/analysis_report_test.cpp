// Reports against the golden files in tests/golden/.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>
#include <nlohmann/json.hpp>

#include "analysis/format.h"
#include "analysis/report/escape.h"
#include "analysis/report/json.h"
#include "analysis/report/memory_report.h"
#include "analysis/report/table.h"
#include "analysis_recordings.h"
#include "golden_file.h"

namespace ebbtide {
namespace {

using testing::HasSubstr;
using testing::Not;

constexpr double kib = 1024;
constexpr double mib = 1024 * kib;
constexpr std::uint8_t close_wait = 8;

void expect_golden_reports(const std::string& name, const Recording& recording) {
  const LeakAnswer answer{.main = recording, .assessment = assess(recording)};
  expect_golden(name + ".md", memory_report(recording, answer));
  expect_golden(name + ".json", results_json(recording, answer));
}

// A run with every tier on and a little life in its gauges.
RunBuilder full_run(const RunBuilder::Level& heap, const RunBuilder::Level& fds,
                    const RunBuilder::Kept& kept) {
  RunBuilder run;
  run.idle().cycles(10).idle();
  const auto wobble = [](double connections, double) {
    return 3 * kib * std::fmod(connections, 70) / 70;
  };
  const auto above = [&](double base, const RunBuilder::Level& level) {
    return [base, level, wobble](double connections, double seconds) {
      return base + level(connections, seconds) + wobble(connections, seconds);
    };
  };
  run.gauge(GaugeKind::rss, above(60 * mib, heap)).gauge(GaugeKind::pss, above(57 * mib, heap));
  run.gauge(GaugeKind::anon, above(22 * mib, heap)).gauge(GaugeKind::swap, constant(0));
  run.gauge(GaugeKind::heap_used, above(5.2 * mib, heap));
  run.gauge(GaugeKind::heap_total, above(9 * mib, heap));
  run.gauge(GaugeKind::external, above(1.4 * mib, constant(0)));
  run.gauge(GaugeKind::fds, fds).gauge(GaugeKind::fd_pipe, constant(2));
  run.gauge(GaugeKind::sockets_accepted, [fds](double c, double s) { return fds(c, s) - 27; });
  run.gauge(GaugeKind::sockets_close_wait, [fds](double c, double s) { return fds(c, s) - 27; });
  run.gauge(GaugeKind::mappings, constant(310)).gauge(GaugeKind::threads, constant(11));
  for (const Cycle& cycle : run.recording.cycles) {
    const auto peak = static_cast<std::int64_t>(64 * mib + cycle.number * 64 * kib * cycle.dose);
    run.gauge(GaugeKind::rss, Point::opened, cycle.number, peak);
    run.gauge(GaugeKind::rss, Point::closed, cycle.number, peak - 500 * 1024);
    run.recording.gcs.push_back({cycle.end_ns - 20'000'000, cycle.end_ns - 8'000'000, 4242,
                                 cycle.number, Collector::mark_compact, 5'400'000, 9'000'000});
  }
  run.sockets(kept, close_wait);
  Recording& recording = run.recording;
  recording.tiers = {{"proc", true, "gauges at every settle point"},
                     {"ebpf", true, "sockets, mappings, threads and children"},
                     {"inspector", true, "a full GC before each gauge"},
                     {"gc-uprobes", true, "begin, end and heap size of every GC"},
                     {"page-faults", false, "not asked for"}};
  recording.losses = {{"ring buffer records", 0}, {"stack hash collisions", 0}};
  return run;
}

RunBuilder::Level per_connection(double amount) {
  return [amount](double connections, double) { return amount * connections; };
}

bool none(std::uint32_t, std::uint32_t) { return false; }

TEST(GoldenTest, Leak) {
  auto run = full_run(per_connection(64 * kib), constant(27), none);
  for (std::uint32_t cycle = 2; cycle <= 11; ++cycle) {
    run.resources(ResourceKind::mapping, cycle, 25, 0, 256 * 1024, cycle % 2 == 0 ? 7 : 8);
    run.recording.births.push_back({ResourceKind::mapping, cycle, 40, 40 * 256 * 1024});
  }
  run.recording.stacks = {
      {7,
       {{0x1000, "libc.so.6", "mmap"},
        {0x2000, "node", "v8::internal::MemoryAllocator::AllocatePage(unsigned long)"},
        {0x3000, "", "server.js:41:17 onConnection"}}},
      {8, {{0x1000, "libc.so.6", "mmap"}, {0x4000, "node", ""}}}};
  expect_golden_reports("leak", run.recording);
}

TEST(GoldenTest, Clean) {
  expect_golden_reports("clean", full_run(per_connection(9), constant(27), none).recording);
}

TEST(GoldenTest, CloseWait) {
  auto run = full_run(
      per_connection(4.5 * kib), [](double connections, double) { return 27 + connections; },
      [](auto, auto) { return true; });
  for (PhaseSpan& span : run.recording.phases) {
    if (span.phase != Phase::settle || span.cycle == 1 || span.cycle == 12) continue;
    span.hit_cap = true;
    span.sockets_left = 100;
  }
  expect_golden_reports("close_wait", run.recording);
}

// Resident memory grows by 40 KB with each connection, and nothing uses it.
TEST(GoldenTest, KeptByTheAllocator) {
  auto run = full_run(per_connection(9), constant(27), none);
  std::erase_if(run.recording.gauges,
                [](const Gauge& gauge) { return gauge.kind == GaugeKind::anon; });
  const auto growing = [](double base, double each) {
    return [=](double connections, double) { return base + each * connections; };
  };
  run.gauge(GaugeKind::anon, growing(22 * mib, 40 * kib));
  run.gauge(GaugeKind::malloc_resident, growing(4 * mib, 40 * kib));
  run.gauge(GaugeKind::malloc_in_use, constant(2.6 * mib));
  run.gauge(GaugeKind::malloc_blocks, constant(24'550));
  run.gauge(GaugeKind::malloc_mmapped, constant(132 * kib));
  run.gauge(GaugeKind::malloc_free, growing(300 * kib, 24 * kib));
  run.gauge(GaugeKind::malloc_top, growing(130 * kib, 5 * kib));
  run.gauge(GaugeKind::malloc_thread_free, growing(600 * kib, 11 * kib));
  run.gauge(GaugeKind::malloc_free_chunks, growing(900, 1));
  run.gauge(GaugeKind::malloc_thread_arenas, constant(7));
  run.recording.tiers.push_back({"malloc-census", true, "glibc's blocks counted"});
  expect_golden_reports("kept_by_the_allocator", run.recording);
}

// Stopped by Ctrl-C in the fourth cycle, on a target that puts all it can into its names.
TEST(GoldenTest, Interrupted) {
  RunBuilder run(20);
  run.cycles(3).cut_off(12);
  run.gauge(GaugeKind::rss, constant(80 * mib)).gauge(GaugeKind::fds, constant(27));
  Recording& recording = run.recording;
  recording.run.cmdline = "node `x` | <img src=x onerror=alert(1)> \x1b[31m[a](http://evil)\xff";
  recording.run.runtime_version = "v20<b>|x";
  recording.end = {EndReason::interrupted, "", recording.cycles.back().end_ns + 1};
  recording.tiers = {{"proc", true, ""}, {"ebpf", false, "needs CAP_BPF: run as root"}};
  Connection& refused = recording.connections[3];
  refused.established_ns = 0;
  refused.failed_at = Stage::upgrade;
  refused.http_status = 503;
  refused.error = "server said `no` | <script>alert(1)</script>\n## Injected";
  recording.notes = {{1, 2, "the target restarted a worker: *<i>x</i>* @someone"}};
  recording.losses = {{"ring buffer records", 3}};
  expect_golden_reports("interrupted", recording);
}

TEST(ReportTest, RepeatsByteForByte) {
  const auto run = full_run(per_connection(64 * kib), constant(27), none);
  const auto report = [&] { return memory_report(run.recording, answer_leak_run(run.recording)); };
  EXPECT_EQ(report(), report());
}

TEST(ReportTest, AnEmptyRecordingStillMakesAReport) {
  const LeakAnswer answer = answer_leak_run({});
  const std::string report = memory_report({}, answer);
  for (const char* heading :
       {"## Code Review Findings\n", "## Memory Test Results\n", "## Leak Detection\n",
        "## Recommendations for Phase 7\n", "## Conditions\n", "## How to reproduce\n"}) {
    EXPECT_THAT(report, HasSubstr(heading));
  }
  EXPECT_EQ(nlohmann::json::parse(results_json({}, answer)).at("schema"), results_schema);
}

TEST(EscapeTest, CleanTextIsOneLineOfValidUtf8) {
  EXPECT_EQ(clean_text("a\nb\tc"), "a b c");
  EXPECT_EQ(clean_text("\x1b[31m"), "\uFFFD[31m");
  EXPECT_EQ(clean_text("\xff\xc0\xafx"), "\uFFFD\uFFFD\uFFFDx");
  EXPECT_EQ(clean_text("\xe2\x82"), "\uFFFD\uFFFD");
  EXPECT_EQ(clean_text("\xed\xa0\x80"), "\uFFFD\uFFFD\uFFFD");  // a surrogate
  EXPECT_EQ(clean_text("a\u202Eb"), "a\uFFFDb");                // right-to-left override
  EXPECT_EQ(clean_text("größer", 3), "grö…");
}

TEST(EscapeTest, ProseLeavesPlainWordsAlone) {
  EXPECT_EQ(prose("in CLOSE_WAIT (the peer closed), 64.0–64.3 KB."),
            "in CLOSE_WAIT (the peer closed), 64.0–64.3 KB.");
}

TEST(EscapeTest, ProseDisarmsMarkdownAndHtml) {
  EXPECT_EQ(prose("*a* _b_ <c> [d](e) `f` #1 @g &lt; |"),
            "\\*a\\* \\_b\\_ \\<c\\> \\[d\\](e) \\`f\\` \\#1 &#64;g &amp;lt; \\|");
  EXPECT_EQ(prose("http://x www.x"), "http&#58;//x www&#46;x");
}

TEST(EscapeTest, NoTextClosesItsCodeSpan) {
  EXPECT_EQ(code_span("plain"), "`plain`");
  EXPECT_EQ(code_span("a`b"), "``a`b``");
  EXPECT_EQ(code_span("`"), "`` ` ``");
  EXPECT_EQ(code_span(" "), "(empty)");
  EXPECT_EQ(cell_code("a|b\\|c"), "`a¦b\\¦c`");
}

TEST(EscapeTest, NoLineEndsItsCodeBlock) {
  EXPECT_EQ(code_block("a\n```\nb"), "````\na\n```\nb\n````\n");
  EXPECT_EQ(code_block("", "sh"), "```sh\n```\n");
}

TEST(TableTest, PadsByCharacters) {
  MarkdownTable table({{"what", Align::left}, {"n"}});
  table.row({"größer", "1"});
  table.row({"a"});
  EXPECT_EQ(table.markdown(),
            "| what   |   n |\n| ------ | --: |\n| größer |   1 |\n| a      |     |\n\n");
}

TEST(TableTest, FoldsOnlyWhatIsLong) {
  MarkdownTable table({{"n"}});
  for (int i = 0; i < 25; ++i) table.row({"1"});
  EXPECT_THAT(table.folded("All"), Not(HasSubstr("<details>")));
  table.row({"1"});
  EXPECT_THAT(table.folded("All"), HasSubstr("<details><summary>All</summary>\n\n|"));
}

TEST(FormatTest, Bytes) {
  EXPECT_EQ(bytes_text(0), "0 B");
  EXPECT_EQ(bytes_text(-0.2), "0 B");
  EXPECT_EQ(bytes_text(-189), "−189 B");
  EXPECT_EQ(bytes_text(64.3 * kib), "64.3 KB");
  EXPECT_EQ(bytes_text(1023.99 * kib), "1.0 MB");
  EXPECT_EQ(bytes_text(3e18), "2728484.1 TB");
}

TEST(FormatTest, CountsAndIntegers) {
  EXPECT_EQ(count_text(1), "1.00");
  EXPECT_EQ(count_text(0.0054), "0.005");
  EXPECT_EQ(count_text(12.34), "12.3");
  EXPECT_EQ(integer_text(0), "0");
  EXPECT_EQ(integer_text(1000), "1,000");
  EXPECT_EQ(integer_text(-1234567), "−1,234,567");
  EXPECT_EQ(counted(1, "cycle"), "1 cycle");
  EXPECT_EQ(counted(2000, "cycle"), "2,000 cycles");
}

TEST(FormatTest, Intervals) {
  EXPECT_EQ(interval_text({63.9 * kib, 64.6 * kib}, Unit::bytes), "63.9–64.6 KB");
  EXPECT_EQ(interval_text({-20, 35}, Unit::bytes), "−20 to 35 B");
  EXPECT_EQ(interval_text({0.996, 1}, Unit::count), "1.00–1.00");
}

TEST(FormatTest, Durations) {
  EXPECT_EQ(duration_text(0.00009), "90 µs");
  EXPECT_EQ(duration_text(0.0012), "1.2 ms");
  EXPECT_EQ(duration_text(0.184), "184 ms");
  EXPECT_EQ(duration_text(1.42), "1.42 s");
  EXPECT_EQ(duration_text(192), "3 min 12 s");
  EXPECT_EQ(span_text(5, 5), "–");
}

}  // namespace
}  // namespace ebbtide
