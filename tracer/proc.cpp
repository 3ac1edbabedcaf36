#include "tracer/proc.h"

#include <dirent.h>
#include <fmt/format.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <charconv>
#include <climits>
#include <cstring>
#include <ctime>
#include <fstream>
#include <memory>
#include <sstream>

namespace ebbtide {
namespace {

std::string proc_path(std::int32_t pid, const char* file) {
  return fmt::format("/proc/{}/{}", pid, file);
}

// The whole of a /proc file; nullopt with errno set when it cannot be read.
std::optional<std::string> slurp(const std::string& path) {
  std::ifstream file(path, std::ios::binary);
  if (!file) return std::nullopt;
  std::ostringstream text;
  text << file.rdbuf();
  if (file.bad()) return std::nullopt;
  return text.str();
}

std::string read_link(const std::string& path) {
  std::string target(PATH_MAX, '\0');
  const ssize_t length = readlink(path.c_str(), target.data(), target.size());
  target.resize(length > 0 ? static_cast<std::size_t>(length) : 0);
  return target;
}

// The numeric names in a directory, ascending.
std::vector<std::int32_t> numeric_entries(const std::string& directory) {
  std::vector<std::int32_t> numbers;
  const std::unique_ptr<DIR, int (*)(DIR*)> dir(opendir(directory.c_str()), closedir);
  if (!dir) return numbers;
  while (const dirent* entry = readdir(dir.get())) {
    const char* end = entry->d_name + std::strlen(entry->d_name);
    std::int32_t number = 0;
    const auto [stop, error] = std::from_chars(entry->d_name, end, number);
    if (error == std::errc() && stop == end) numbers.push_back(number);
  }
  std::sort(numbers.begin(), numbers.end());
  return numbers;
}

Error unreadable(std::int32_t pid, const char* file) {
  const int code = errno;
  if (code == ENOENT || code == ESRCH)
    return {"read", proc_path(pid, file), "there is no such process", ""};
  return {"read", proc_path(pid, file), std::strerror(code), "run as root, or with CAP_SYS_PTRACE"};
}

// The value of "Name:   123 kB" in bytes; 0 when the line is not there.
std::uint64_t kilobytes_of(const std::string& text, const std::string& name) {
  const auto at = text.find("\n" + name + ":");
  if (at == std::string::npos) return 0;
  return std::strtoull(text.c_str() + at + name.size() + 2, nullptr, 10) * 1024;
}

// A number of /proc/PID/stat by its place, from 4 on; 0 when the process is gone.
std::uint64_t stat_field(std::int32_t pid, int place) {
  const auto text = slurp(proc_path(pid, "stat"));
  if (!text) return 0;
  const auto name_end = text->rfind(')');  // the name before it may hold anything
  if (name_end == std::string::npos) return 0;
  std::istringstream words(text->substr(name_end + 1));
  std::string word;
  for (int field = 3; field < place; field++) words >> word;
  std::uint64_t number = 0;
  words >> number;
  return number;
}

std::string chomp(std::string text) {
  while (!text.empty() && text.back() == '\n') text.pop_back();
  return text;
}

}  // namespace

Result<ProcessIdentity> identify_process(std::int32_t pid) {
  const auto status = slurp(proc_path(pid, "status"));
  if (!status) {
    return Error{"trace", fmt::format("pid {}", pid), "there is no such process",
                 "leave --pid out: the process is found by the URL's port"};
  }
  ProcessIdentity identity{.pid = pid, .uid = 0, .comm = {}, .cmdline = {}, .exe = {}};
  if (const auto at = status->find("\nUid:"); at != std::string::npos)
    identity.uid = static_cast<std::uint32_t>(std::strtoul(status->c_str() + at + 5, nullptr, 10));
  identity.comm = chomp(slurp(proc_path(pid, "comm")).value_or(""));
  identity.cmdline = slurp(proc_path(pid, "cmdline")).value_or("");
  while (!identity.cmdline.empty() && identity.cmdline.back() == '\0') identity.cmdline.pop_back();
  std::replace(identity.cmdline.begin(), identity.cmdline.end(), '\0', ' ');
  identity.exe = read_link(proc_path(pid, "exe"));
  return identity;
}

std::uint64_t read_fd_limit(std::int32_t pid) {
  rlimit limit{};
  return prlimit(pid, RLIMIT_NOFILE, nullptr, &limit) == 0 ? limit.rlim_cur : 0;
}

MemoryRollup& MemoryRollup::operator+=(const MemoryRollup& other) {
  rss += other.rss;
  pss += other.pss;
  anonymous += other.anonymous;
  private_dirty += other.private_dirty;
  swap += other.swap;
  return *this;
}

Result<MemoryRollup> read_memory_rollup(std::int32_t pid) {
  const auto text = slurp(proc_path(pid, "smaps_rollup"));
  if (!text || text->empty()) return unreadable(pid, "smaps_rollup");
  return MemoryRollup{.rss = kilobytes_of(*text, "Rss"),
                      .pss = kilobytes_of(*text, "Pss"),
                      .anonymous = kilobytes_of(*text, "Anonymous"),
                      .private_dirty = kilobytes_of(*text, "Private_Dirty"),
                      .swap = kilobytes_of(*text, "Swap")};
}

std::optional<std::uint64_t> read_resident_bytes(std::int32_t pid) {
  const auto text = slurp(proc_path(pid, "statm"));
  if (!text || text->empty()) return std::nullopt;
  char* rest = nullptr;
  std::strtoull(text->c_str(), &rest, 10);  // total program size
  return std::strtoull(rest, nullptr, 10) * static_cast<std::uint64_t>(sysconf(_SC_PAGESIZE));
}

Result<CpuTimes> read_cpu_times(std::int32_t pid) {
  const std::uint64_t system_ticks = stat_field(pid, 15);
  clockid_t clock{};
  timespec sum{};
  // Read after the ticks, so that it is never less than they are.
  if (clock_getcpuclockid(pid, &clock) != 0 || clock_gettime(clock, &sum) != 0)
    return unreadable(pid, "stat");
  const auto sum_ns = static_cast<std::uint64_t>(sum.tv_sec) * 1'000'000'000 +
                      static_cast<std::uint64_t>(sum.tv_nsec);
  const auto tick_ns = 1'000'000'000 / static_cast<std::uint64_t>(sysconf(_SC_CLK_TCK));
  const std::uint64_t system_ns = std::min(system_ticks * tick_ns, sum_ns);
  return CpuTimes{.user_ns = sum_ns - system_ns, .system_ns = system_ns};
}

std::optional<std::uint64_t> read_cpu_delay(std::int32_t pid) {
  std::ifstream file(proc_path(pid, "schedstat"));
  std::uint64_t ran_ns = 0;
  std::uint64_t delayed_ns = 0;
  if (file >> ran_ns >> delayed_ns) return delayed_ns;
  return std::nullopt;
}

Result<ListenCounters> read_listen_counters(std::int32_t pid) {
  std::ifstream file(proc_path(pid, "net/netstat"));
  // Pairs of lines that begin alike: the names, then the values.
  for (std::string names, values; std::getline(file, names) && std::getline(file, values);) {
    if (!names.starts_with("TcpExt:")) continue;
    ListenCounters counters;
    std::istringstream name_words(names), value_words(values);
    for (std::string name, value; name_words >> name && value_words >> value;) {
      if (name == "ListenOverflows") counters.overflows = std::strtoull(value.c_str(), nullptr, 10);
      if (name == "ListenDrops") counters.drops = std::strtoull(value.c_str(), nullptr, 10);
    }
    return counters;
  }
  return unreadable(pid, "net/netstat");
}

Result<std::vector<FdEntry>> read_fds(std::int32_t pid) {
  const std::string directory = proc_path(pid, "fd");
  if (access(directory.c_str(), R_OK | X_OK) != 0) return unreadable(pid, "fd");
  std::vector<FdEntry> entries;
  for (const std::int32_t fd : numeric_entries(directory)) {
    FdEntry entry{.fd = fd, .link = read_link(fmt::format("{}/{}", directory, fd))};
    if (!entry.link.empty()) entries.push_back(std::move(entry));
  }
  return entries;
}

std::optional<std::uint64_t> socket_inode(const std::string& link) {
  constexpr std::string_view prefix = "socket:[";
  if (link.rfind(prefix, 0) != 0) return std::nullopt;
  return std::strtoull(link.c_str() + prefix.size(), nullptr, 10);
}

std::vector<TaskEntry> read_threads(std::int32_t pid) {
  std::vector<TaskEntry> threads;
  for (const std::int32_t tid : numeric_entries(proc_path(pid, "task"))) {
    const auto comm = slurp(fmt::format("/proc/{}/task/{}/comm", pid, tid));
    if (comm) threads.push_back({tid, chomp(*comm)});
  }
  return threads;
}

bool sleeps_in_epoll_wait(std::int32_t pid, std::int32_t tid) {
  // "232 0x5 …": the system call's number, or "running".
  const auto text = slurp(fmt::format("/proc/{}/task/{}/syscall", pid, tid));
  long number = -1;
  if (!text || std::from_chars(text->data(), text->data() + text->size(), number).ec != std::errc())
    return false;
#ifdef SYS_epoll_wait
  if (number == SYS_epoll_wait) return true;
#endif
  return number == SYS_epoll_pwait || number == SYS_epoll_pwait2;
}

std::vector<std::int32_t> read_children(std::int32_t pid) {
  std::vector<std::int32_t> children;
  for (const std::int32_t tid : numeric_entries(proc_path(pid, "task"))) {
    const auto text = slurp(fmt::format("/proc/{}/task/{}/children", pid, tid));
    if (!text) continue;
    std::istringstream words(*text);
    for (std::int32_t child = 0; words >> child;) children.push_back(child);
  }
  return children;
}

std::vector<std::int32_t> list_processes() { return numeric_entries("/proc"); }

std::int32_t parent_of(std::int32_t pid) {
  const auto text = slurp(proc_path(pid, "status"));
  if (!text) return 0;
  const auto at = text->find("\nPPid:");
  return at == std::string::npos ? 0 : std::atoi(text->c_str() + at + 6);
}

std::uint64_t start_ticks(std::int32_t pid) { return stat_field(pid, 22); }

std::uint64_t ticks_since_boot() {
  timespec now{};
  clock_gettime(CLOCK_BOOTTIME, &now);
  const auto per_second = static_cast<std::uint64_t>(sysconf(_SC_CLK_TCK));
  return static_cast<std::uint64_t>(now.tv_sec) * per_second +
         static_cast<std::uint64_t>(now.tv_nsec) * per_second / 1'000'000'000;
}

bool started_with_variable(std::int32_t pid, const std::string& name) {
  const auto block = slurp(proc_path(pid, "environ"));
  if (!block) return false;
  const std::string entry = name + "=";
  return block->starts_with(entry) || block->find('\0' + entry) != std::string::npos;
}

std::uint32_t network_namespace(std::int32_t pid) {
  const std::string link = read_link(proc_path(pid, "ns/net"));  // "net:[4026531840]"
  const auto at = link.find('[');
  if (at == std::string::npos) return 0;
  return static_cast<std::uint32_t>(std::strtoul(link.c_str() + at + 1, nullptr, 10));
}

std::uint64_t oom_kill_count() {
  const auto text = slurp("/proc/vmstat");
  if (!text) return 0;
  const auto at = text->find("\noom_kill ");
  return at == std::string::npos ? 0 : std::strtoull(text->c_str() + at + 10, nullptr, 10);
}

}  // namespace ebbtide
