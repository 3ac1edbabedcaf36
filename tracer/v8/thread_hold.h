// Answers: how does a process stand still for some milliseconds and run on in every case? By
// PTRACE_INTERRUPT rather than SIGSTOP, so that its parent sees nothing and the kernel lets it go
// should we die.
#pragma once

#include <sys/types.h>

#include <chrono>
#include <vector>

#include "recording/result.h"

namespace ebbtide {

// Holds every thread of one process. ptrace binds to threads: construct, use and destroy it on one
// thread, and let that thread end soon after. A thread of the target that did not stop in time can
// be released by nothing else.
class ThreadHold {
 public:
  using Clock = std::chrono::steady_clock;

  // Errors: no right to, traced by someone else, gone, or not all of its threads stopped in time.
  static Result<ThreadHold> take(pid_t pid, Clock::time_point deadline);
  ThreadHold(ThreadHold&& other) noexcept : held_(std::move(other.held_)) { other.held_.clear(); }
  ThreadHold(const ThreadHold&) = delete;
  ThreadHold& operator=(const ThreadHold&) = delete;
  ThreadHold& operator=(ThreadHold&&) = delete;
  ~ThreadHold() { release(); }

  // A signal that stopped a thread on its way to it is delivered then.
  void release();

 private:
  struct Held {
    pid_t tid = 0;
    bool stopped = false;
    bool gone = false;
    int signal = 0;  // to deliver at release
  };

  ThreadHold() = default;
  Result<void> seize_new_threads(pid_t pid);
  bool wait_for_stops(Clock::time_point deadline);
  [[nodiscard]] bool holds(pid_t tid) const;

  std::vector<Held> held_;
};

}  // namespace ebbtide
