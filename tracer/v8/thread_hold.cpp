#include "tracer/v8/thread_hold.h"

#include <fmt/format.h>
#include <sys/ptrace.h>
#include <sys/wait.h>
#include <time.h>

#include <algorithm>
#include <cerrno>
#include <csignal>
#include <cstring>
#include <fstream>
#include <string>

#include "tracer/proc.h"

namespace ebbtide {
namespace {

void pause_briefly() {
  const timespec time{0, 20'000};
  nanosleep(&time, nullptr);
}

// Of /proc/PID/status, as text; "" when there is no such line.
std::string status_field(pid_t pid, const std::string& name) {
  std::ifstream status(fmt::format("/proc/{}/status", pid));
  for (std::string line; std::getline(status, line);) {
    if (line.starts_with(name + ":\t")) return line.substr(name.size() + 2);
  }
  return "";
}

// A thread that has ended and only waits to be reaped cannot be seized and need not be.
bool has_ended(pid_t tid) {
  const auto state = status_field(tid, "State");
  return state.empty() || state.front() == 'Z' || state.front() == 'X';
}

Error refusal(pid_t pid, int code) {
  const auto subject = fmt::format("the threads of process {}", pid);
  const auto tracer = status_field(pid, "TracerPid");
  if (!tracer.empty() && tracer != "0") {
    return {"hold", subject, fmt::format("process {} traces it already", tracer),
            "detach that debugger or strace first"};
  }
  std::ifstream yama("/proc/sys/kernel/yama/ptrace_scope");
  int scope = 0;
  if (yama >> scope && scope > 0) {
    return {"hold", subject,
            fmt::format("{} (kernel.yama.ptrace_scope is {})", std::strerror(code), scope),
            "run as root, grant CAP_SYS_PTRACE (setcap cap_sys_ptrace+ep on ebbtide), or "
            "sysctl kernel.yama.ptrace_scope=0"};
  }
  return {"hold", subject, std::strerror(code),
          "run as root or as the process's own user, or grant CAP_SYS_PTRACE (setcap "
          "cap_sys_ptrace+ep on ebbtide)"};
}

}  // namespace

bool ThreadHold::holds(pid_t tid) const {
  return std::ranges::find(held_, tid, &Held::tid) != held_.end();
}

Result<void> ThreadHold::seize_new_threads(pid_t pid) {
  for (const TaskEntry& task : read_threads(pid)) {
    if (holds(task.tid)) continue;
    if (ptrace(PTRACE_SEIZE, task.tid, nullptr, nullptr) != 0) {
      const int code = errno;
      if (code == ESRCH || has_ended(task.tid)) continue;
      return refusal(pid, code);
    }
    held_.push_back({task.tid});
    ptrace(PTRACE_INTERRUPT, task.tid, nullptr, nullptr);
  }
  return {};
}

bool ThreadHold::wait_for_stops(Clock::time_point deadline) {
  for (;;) {
    bool all = true;
    for (Held& held : held_) {
      if (held.stopped || held.gone) continue;
      int status = 0;
      const pid_t changed = waitpid(held.tid, &status, __WALL | WNOHANG);
      if (changed == held.tid && WIFSTOPPED(status)) {
        held.stopped = true;
        // Without an event it is a signal on its way to the thread.
        if (status >> 16 == 0) held.signal = WSTOPSIG(status);
      } else if (changed == held.tid || (changed < 0 && errno == ECHILD)) {
        held.gone = true;
      } else {
        all = false;
      }
    }
    if (all) return true;
    if (Clock::now() > deadline) return false;
    pause_briefly();
  }
}

Result<ThreadHold> ThreadHold::take(pid_t pid, Clock::time_point deadline) {
  ThreadHold hold;
  // A thread that runs may start another; once all that are there stand still, none can.
  for (std::size_t before = 0;; before = hold.held_.size()) {
    if (auto seized = hold.seize_new_threads(pid); !seized) return seized.error();
    if (hold.held_.size() == before) break;
    if (!hold.wait_for_stops(deadline)) {
      return Error{"hold", fmt::format("the threads of process {}", pid),
                   "not all of them stopped in time", "try again; they run on"};
    }
  }
  if (std::ranges::none_of(hold.held_, &Held::stopped)) {
    return Error{"hold", fmt::format("the threads of process {}", pid), "it has ended", ""};
  }
  return hold;
}

// One that was killed meanwhile cannot be detached; when this thread ends, the kernel hands it over
// to its parent.
void ThreadHold::release() {
  for (const Held& held : held_) {
    if (held.stopped) ptrace(PTRACE_DETACH, held.tid, nullptr, held.signal);
  }
  held_.clear();
}

}  // namespace ebbtide
