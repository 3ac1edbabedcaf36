#include "cli/output.h"

#include <fmt/format.h>
#include <unistd.h>

#include <cerrno>
#include <cstdio>
#include <cstring>
#include <filesystem>
#include <fstream>

#include "analysis/causes/causes.h"
#include "analysis/report/escape.h"
#include "analysis/report/json.h"
#include "analysis/report/memory_report.h"
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
  Assessment assessment = assess(*run);
  const Causes causes = find_causes(*run, assessment);
  const std::string report = directory + "/06-03-memory-analysis.md";
  const std::string results = directory + "/results.json";
  if (auto written = write_file(report, memory_report(*run, assessment, causes)); !written)
    return written.error();
  if (auto written = write_file(results, results_json(*run, assessment, causes)); !written)
    return written.error();
  fmt::print("{}\n", clean_text(assessment.sentence, 2000));
  const HeapCause* cause = main_cause(causes.heap);
  if (assessment.verdict == Verdict::leak && cause != nullptr)
    fmt::print("Kept by {}\n", clean_text(cause->path, 300));
  if (const ReviewFinding* finding = main_finding(causes); finding != nullptr)
    fmt::print("Mend    {}:{} {}: {}\n", clean_text(finding->at.path), finding->at.range.line,
               finding->rule, clean_text(finding->reason, 300));
  if (!quiet)
    fmt::print("\n  report     {}\n  results    {}\n  recording  {}\n", report, results, recording);
  return exit_code_of(assessment.verdict);
}

}  // namespace ebbtide
