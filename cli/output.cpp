#include "cli/output.h"

#include <fmt/format.h>
#include <unistd.h>

#include <cerrno>
#include <cstdio>
#include <cstring>
#include <filesystem>
#include <fstream>

#include "analysis/endings/leak_answer.h"
#include "analysis/load/broadcast.h"
#include "analysis/load/levels.h"
#include "analysis/report/broadcast_report.h"
#include "analysis/report/connections_report.h"
#include "analysis/report/json.h"
#include "analysis/report/memory_report.h"
#include "analysis/report/report_names.h"
#include "analysis/verdict.h"
#include "cli/exit_code.h"
#include "recording/reader.h"

namespace ebbtide {
namespace {

int exit_code_of(Verdict verdict) {
  switch (verdict) {
    case Verdict::leak:
      return exit_leak;
    case Verdict::inconclusive:
      return exit_inconclusive;
    case Verdict::no_leak:
    case Verdict::saturating:
      break;
  }
  return exit_ok;
}

// What one recording comes to, ready to be written.
struct Reports {
  std::string markdown;
  std::string json;
  std::string terminal;
  int exit_code = exit_ok;
};

Reports memory_reports(const Recording& run) {
  const LeakAnswer answer = answer_leak_run(run);
  return {memory_report(run, answer), results_json(run, answer), memory_summary_text(run, answer),
          answer.modes.deadly ? exit_leak : exit_code_of(answer.assessment.verdict)};
}

// A load has no verdict, but a run that did not get to its end has not decided anything.
int exit_code_of(const RunEnd& end) {
  return end.reason == EndReason::completed ? exit_ok : exit_inconclusive;
}

Reports connections_reports(const Recording& run) {
  const LevelsAssessment levels = assess_levels(run);
  return {connections_report(levels, run), connections_json(levels, run),
          connections_summary_text(levels, run), exit_code_of(run.end)};
}

Reports broadcast_reports(const Recording& run) {
  const BroadcastAssessment broadcast = assess_broadcast(run);
  const bool answered = broadcast.deliveries.well > 0 && broadcast.deliveries.tokens_seen;
  return {broadcast_report(broadcast, run), broadcast_json(broadcast, run),
          broadcast_summary_text(broadcast, run),
          answered ? exit_code_of(run.end) : exit_inconclusive};
}

Reports reports_of(const Recording& run) {
  switch (run.run.kind) {
    case RunKind::connections:
      return connections_reports(run);
    case RunKind::broadcast:
      return broadcast_reports(run);
    case RunKind::leak:
      break;
  }
  return memory_reports(run);
}

}  // namespace

Result<void> prepare_directory(const std::string& directory) {
  std::error_code code;
  std::filesystem::create_directories(directory, code);
  const std::string advice = "name a writable directory with -o";
  if (code) return Error{"create", directory, code.message(), advice};
  if (access(directory.c_str(), W_OK | X_OK) != 0)
    return Error{"write to", directory, std::strerror(errno), advice};
  return {};
}

Result<void> write_file(const std::string& path, const std::string& content) {
  const std::string beside = fmt::format("{}.{}.partial", path, getpid());
  std::ofstream file(beside, std::ios::binary | std::ios::trunc);
  file << content;
  file.close();
  if (!file) {
    const int code = errno;
    std::remove(beside.c_str());
    return Error{"write", path, std::strerror(code), "name another directory with -o"};
  }
  return move_file(beside, path);
}

Result<void> move_file(const std::string& from, const std::string& to) {
  if (std::rename(from.c_str(), to.c_str()) == 0) return {};
  return Error{"write", to, std::strerror(errno), "name another directory with -o"};
}

Result<int> write_reports(const std::string& recording, const std::string& directory, bool quiet) {
  const auto run = read_recording(recording);
  if (!run) return run.error();
  if (auto ready = prepare_directory(directory); !ready) return ready.error();
  const Reports reports = reports_of(*run);
  const std::string report = directory + "/" + std::string(report_name(run->run.kind));
  const std::string results = directory + "/" + std::string(results_name(run->run.kind));
  if (auto written = write_file(report, reports.markdown); !written) return written.error();
  if (auto written = write_file(results, reports.json); !written) return written.error();
  fmt::print("{}", reports.terminal);
  if (!quiet)
    fmt::print("\n  report     {}\n  results    {}\n  recording  {}\n", report, results, recording);
  return reports.exit_code;
}

}  // namespace ebbtide
