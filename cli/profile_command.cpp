#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cstdio>

#include "analysis/report/escape.h"
#include "analysis/report/report_names.h"
#include "analysis/report/summary_report.h"
#include "cli/commands.h"
#include "cli/exit_code.h"
#include "cli/output.h"
#include "recording/names.h"
#include "recording/reader.h"

namespace ebbtide {
namespace {

// A part that cannot be done is no reason to leave out the others: it is said, and kept for the
// summary.
SummaryPart finish_part(RunKind kind, const std::string& directory, const Result<int>& status) {
  SummaryPart part{.kind = kind, .recording = {}, .missing = {}};
  if (!status) {
    part.missing = status.error().message();
    fmt::print(stderr, "ebbtide: {}\n", clean_text(part.missing, 1000));
    if (!status.error().remedy.empty())
      fmt::print(stderr, "  {}\n", clean_text(status.error().remedy, 1000));
    return part;
  }
  auto recording = read_recording(fmt::format("{}/{}.ebbtide", directory, name_of(kind)));
  if (recording) {
    part.recording = *std::move(recording);
  } else {
    part.missing = recording.error().message();
  }
  return part;
}

bool was_interrupted(const std::vector<SummaryPart>& parts) {
  return std::ranges::any_of(parts, [](const SummaryPart& part) {
    return part.recording && part.recording->end.reason == EndReason::interrupted;
  });
}

// The most serious of what the parts came to, as `ebbtide profile --help` lists them.
int worst(const std::vector<int>& codes) {
  for (const int code : {exit_failed, exit_leak, exit_inconclusive})
    if (std::ranges::count(codes, code) > 0) return code;
  return exit_ok;
}

}  // namespace

Result<int> run_profile(const ProfileOptions& options) {
  const std::string& directory = options.leak.run.output_directory;
  const bool quiet = options.leak.run.quiet;
  std::vector<SummaryPart> parts;
  std::vector<int> codes;
  const auto run = [&](RunKind kind, const RunOptions& run_options, auto&& command) {
    if (was_interrupted(parts)) {
      parts.push_back({kind, {}, "it was not begun: the person stopped the run before"});
      return;
    }
    if (!quiet) fmt::print("{}ebbtide {}\n", parts.empty() ? "" : "\n", name_of(kind));
    std::fflush(stdout);
    const Result<int> status = command();
    parts.push_back(finish_part(kind, run_options.output_directory, status));
    codes.push_back(status ? *status : exit_failed);
  };
  run(RunKind::connections, options.connections.run,
      [&] { return run_connections(options.connections, options.connections_line); });
  if (options.broadcast) {
    run(RunKind::broadcast, options.broadcast->run,
        [&] { return run_broadcast(*options.broadcast, options.broadcast_line); });
  } else {
    parts.push_back({RunKind::broadcast, {}, "nothing says how to trigger one (--trigger)"});
  }
  run(RunKind::leak, options.leak.run, [&] { return run_leak(options.leak, options.leak_line); });

  const std::string summary = fmt::format("{}/{}", directory, summary_name);
  if (auto ready = prepare_directory(directory); !ready) return ready.error();
  if (auto written = write_file(summary, summary_report(parts)); !written) return written.error();
  if (!quiet) fmt::print("\n  summary    {}\n", summary);
  return worst(codes);
}

}  // namespace ebbtide
