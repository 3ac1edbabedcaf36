#include "tracer/target_end.h"

#include <fmt/format.h>
#include <fmt/ranges.h>
#include <sys/wait.h>

#include <algorithm>
#include <csignal>
#include <cstring>
#include <string>
#include <vector>

#include "tracer/proc.h"

namespace ebbtide {
namespace {

bool is_over(const TargetProcess& process, const ProcessEnd& end) {
  return end.exited || end.exec || start_ticks(process.pid) != process.start_ticks ||
         read_resident_bytes(process.pid).value_or(0) == 0;  // a zombie
}

std::string signal_text(std::int32_t exit_code) {
  const int signal = WTERMSIG(exit_code);
  return fmt::format("signal {} ({})", signal, strsignal(signal));
}

RunEnd end_of_all(const ProcessEnd& end, std::uint64_t oom_kills_before) {
  RunEnd run{.reason = EndReason::target_exited, .detail = {}, .end_ns = 0};
  if (end.exec) {
    run.reason = EndReason::target_exec;
    run.detail = "the target replaced itself by another program";
  } else if (!end.exited) {
    run.detail = "exit status not seen without eBPF";
  } else if (WIFSIGNALED(end.exit_code)) {
    const bool oom = WTERMSIG(end.exit_code) == SIGKILL && oom_kill_count() > oom_kills_before;
    run.reason = oom ? EndReason::target_oom_killed : EndReason::target_killed;
    run.detail = signal_text(end.exit_code);
  } else {
    run.detail = fmt::format("exit code {}", WEXITSTATUS(end.exit_code));
  }
  return run;
}

// "worker 102 was killed by signal 9 (Killed)".
std::string end_of_one(const TargetProcess& process, const ProcessEnd& end) {
  const char* role = process.role == ProcessRole::primary  ? "primary"
                     : process.role == ProcessRole::worker ? "worker"
                                                           : "process";
  std::string how = "ended";
  if (end.exec)
    how = "replaced itself by another program";
  else if (end.exited && WIFSIGNALED(end.exit_code))
    how = "was killed by " + signal_text(end.exit_code);
  else if (end.exited)
    how = fmt::format("exited with code {}", WEXITSTATUS(end.exit_code));
  return fmt::format("{} {} {}", role, process.pid, how);
}

}  // namespace

std::optional<RunEnd> find_target_end(const Target& target, const ResourceTable& resources,
                                      std::uint64_t oom_kills_before) {
  std::vector<const TargetProcess*> gone;
  for (const TargetProcess& process : target.processes) {
    if (is_over(process, resources.end_of(process.pid))) gone.push_back(&process);
  }
  if (gone.empty()) return std::nullopt;
  if (gone.size() == target.processes.size())
    return end_of_all(resources.end_of(target.process.pid), oom_kills_before);
  RunEnd run{.reason = EndReason::failed, .detail = {}, .end_ns = 0};
  for (const TargetProcess* process : gone) {
    if (!run.detail.empty()) run.detail += ", ";
    run.detail += end_of_one(*process, resources.end_of(process->pid));
  }
  const std::vector<std::int32_t> replacements = find_new_workers(target);
  if (!replacements.empty())
    run.detail += fmt::format(" and was replaced by {}", fmt::join(replacements, ", "));
  run.detail += " during the run";
  return run;
}

}  // namespace ebbtide
