// Answers: what does /proc say about one process? Reads only; needs no eBPF and, for the caller's
// own processes, no root.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "recording/result.h"

namespace ebbtide {

struct ProcessIdentity {
  std::int32_t pid = 0;
  std::uint32_t uid = 0;
  std::string comm;
  std::string cmdline;  // arguments joined with single spaces
  std::string exe;      // target of /proc/PID/exe, "" when not readable
};

// RLIMIT_NOFILE of a process, the soft one; 0 when it cannot be read.
std::uint64_t read_fd_limit(std::int32_t pid);

// Error when there is no such process.
Result<ProcessIdentity> identify_process(std::int32_t pid);

// /proc/PID/smaps_rollup, in bytes.
struct MemoryRollup {
  std::uint64_t rss = 0;
  std::uint64_t pss = 0;
  std::uint64_t anonymous = 0;
  std::uint64_t private_dirty = 0;
  std::uint64_t swap = 0;

  MemoryRollup& operator+=(const MemoryRollup& other);
};
Result<MemoryRollup> read_memory_rollup(std::int32_t pid);

// Resident bytes by /proc/PID/statm; nullopt once the process is gone.
std::optional<std::uint64_t> read_resident_bytes(std::int32_t pid);

// CPU time of all threads a process ever had. The sum is the scheduler's, to the nanosecond; only
// how much of it is the system's comes in clock ticks (10 ms).
struct CpuTimes {
  std::uint64_t user_ns = 0;
  std::uint64_t system_ns = 0;
};
Result<CpuTimes> read_cpu_times(std::int32_t pid);

// Nanoseconds that a process's main thread was ready to run while others had the CPUs; nullopt
// where the kernel does not count that.
std::optional<std::uint64_t> read_cpu_delay(std::int32_t pid);

// Connections that came to a full accept queue since boot, and SYNs dropped for any reason, those
// among them. Counted for the whole network namespace that the process lives in.
struct ListenCounters {
  std::uint64_t overflows = 0;
  std::uint64_t drops = 0;
};
Result<ListenCounters> read_listen_counters(std::int32_t pid);

struct FdEntry {
  std::int32_t fd = -1;
  std::string link;  // "socket:[123]", "pipe:[5]", "anon_inode:[eventpoll]", a path
};
Result<std::vector<FdEntry>> read_fds(std::int32_t pid);

// N of "socket:[N]"; nullopt for any other link.
std::optional<std::uint64_t> socket_inode(const std::string& link);

struct TaskEntry {
  std::int32_t tid = 0;
  std::string comm;
};
std::vector<TaskEntry> read_threads(std::int32_t pid);

// Does a thread sleep in epoll_wait or one of its kin? Needs the right to trace it.
bool sleeps_in_epoll_wait(std::int32_t pid, std::int32_t tid);

std::vector<std::int32_t> read_children(std::int32_t pid);

// All process ids, ascending; 0 as parent when the process is gone.
std::vector<std::int32_t> list_processes();
std::int32_t parent_of(std::int32_t pid);

// When a process started, in clock ticks since boot; 0 when it is gone.
std::uint64_t start_ticks(std::int32_t pid);

// Now, by the same clock.
std::uint64_t ticks_since_boot();

// Was a process started with a variable of that name? Its environment may have changed since.
bool started_with_variable(std::int32_t pid, const std::string& name);

// Inode number of a process' network namespace; 0 when not readable.
std::uint32_t network_namespace(std::int32_t pid);

// How often the kernel's OOM killer has killed since boot; 0 when the kernel does not count it.
std::uint64_t oom_kill_count();

}  // namespace ebbtide
