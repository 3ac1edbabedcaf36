#include <algorithm>
#include <chrono>
#include <cmath>

#include "analysis/causes/causes.h"
#include "analysis/cool_down.h"
#include "analysis/design.h"
#include "analysis/looks.h"
#include "cli/commands.h"
#include "cli/output.h"
#include "cli/record_run.h"
#include "cli/server_source.h"
#include "cli/source_tree.h"

namespace ebbtide {
namespace {

constexpr std::chrono::milliseconds cool_down_step{10'000};  // from one look to the next

// What the code review reads goes into the recording, which the reports are made of. A source that
// nobody named and that is not found is no reason to stop.
Result<SourceTree> read_source(const LeakOptions& options, const Target& target, bool is_v8) {
  if (!options.review) return SourceTree{};
  if (!options.source.empty()) return read_source_tree(options.source);
  if (!is_v8) return SourceTree{};
  auto found = read_server_source(target.process.pid);
  if (found) return found;
  SourceTree none;
  none.unread.push_back({"", found.error().message() + "; " + found.error().remedy});
  return none;
}

Result<std::vector<Record>> source_rows(const LeakOptions& options, const Target& target,
                                        bool is_v8) {
  auto source = read_source(options, target, is_v8);
  if (!source) return source.error();
  std::vector<Record> rows;
  for (SourceFile& file : source->files) rows.emplace_back(std::move(file));
  for (UnreadSource& unread : source->unread) rows.emplace_back(std::move(unread));
  return rows;
}

// More of the same while nothing is decided. Where a clean end leaks already, the other ends would
// show it once more.
NextCycles next_cycles(const LeakOptions& options, const Recording& so_far) {
  Assessment assessment = assess(so_far);
  find_causes(so_far, assessment);
  NextCycles next;
  next.doses = next_doses(so_far, assessment,
                          {.max_cycles = options.max_cycles,
                           .max_seconds = std::chrono::duration<double>(options.max_time).count()});
  const double rest =
      next.doses.empty()
          ? cool_down_needed(so_far, assessment,
                             std::chrono::duration<double>(options.cool_down).count())
          : 0;
  next.cool_down = std::min(cool_down_step, std::chrono::milliseconds(std::llround(rest * 1000)));
  if (assessment.verdict == Verdict::leak && !options.every_end && rest == 0) {
    next.no_passes =
        "the other ways a connection can end were not tried: a clean end leaks already (--close "
        "all tries them)";
  }
  return next;
}

}  // namespace

Result<int> run_leak(const LeakOptions& options, const std::string& command_line) {
  const RunRequest request{
      .kind = RunKind::leak,
      .options = options.run,
      .doses = plan_doses(options.cycles, options.connections),
      .tracing = {.fd_events = options.fd_events,
                  .event_loop = options.run.close_modes.size() > 1,
                  .fault_period = options.fault_period},
      .next = [&](const Recording& so_far) { return next_cycles(options, so_far); },
      .snapshot = options.snapshot,
      .prepare = [&](const Target& target,
                     bool is_v8) { return source_rows(options, target, is_v8); }};
  const auto recording = record_run(request, command_line);
  if (!recording) return recording.error();
  return write_reports(*recording, options.run.output_directory, options.run.quiet);
}

}  // namespace ebbtide
