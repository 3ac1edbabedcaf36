#include "tracer/perf_map.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <linux/openat2.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <algorithm>
#include <charconv>
#include <fstream>
#include <optional>
#include <sstream>

namespace ebbtide {
namespace {

constexpr std::int64_t max_file_bytes = 16 << 20;
constexpr std::size_t max_name_bytes = 1024;

// The process's number in its own PID namespace, by which its runtime named the file.
pid_t pid_in_namespace(pid_t pid) {
  std::ifstream status(fmt::format("/proc/{}/status", pid));
  for (std::string line; std::getline(status, line);) {
    if (!line.starts_with("NSpid:")) continue;
    std::istringstream numbers(line.substr(6));
    pid_t innermost = pid;
    while (numbers >> innermost) {
    }
    return innermost;
  }
  return pid;
}

int open_in_root(pid_t pid, const std::string& path) {
  const int root = open(fmt::format("/proc/{}/root", pid).c_str(), O_PATH | O_CLOEXEC);
  if (root < 0) return -1;
  open_how how{};
  how.flags = O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOFOLLOW;
  how.resolve = RESOLVE_IN_ROOT;
  const auto fd = syscall(SYS_openat2, root, path.c_str(), &how, sizeof how);
  close(root);
  return static_cast<int>(fd);
}

std::optional<std::uint64_t> take_hex(std::string_view& line) {
  std::uint64_t value = 0;
  const auto [stop, code] = std::from_chars(line.data(), line.data() + line.size(), value, 16);
  const auto used = static_cast<std::size_t>(stop - line.data());
  if (code != std::errc{} || used >= line.size() || line[used] != ' ') return std::nullopt;
  line.remove_prefix(used + 1);
  return value;
}

}  // namespace

void PerfMap::refresh(pid_t pid) {
  const int fd = open_in_root(pid, fmt::format("/tmp/perf-{}.map", pid_in_namespace(pid)));
  struct stat status {};
  if (fd < 0 || fstat(fd, &status) != 0 || !S_ISREG(status.st_mode)) {
    if (fd >= 0) close(fd);
    return;
  }
  const std::int64_t mtime_ns = status.st_mtim.tv_sec * 1'000'000'000 + status.st_mtim.tv_nsec;
  if (status.st_size != read_size_ || mtime_ns != read_mtime_ns_) {
    std::string text(static_cast<std::size_t>(std::min<off_t>(status.st_size, max_file_bytes)),
                     '\0');
    const auto got = pread(fd, text.data(), text.size(), 0);
    text.resize(got > 0 ? static_cast<std::size_t>(got) : 0);
    code_by_start_.clear();
    parse(text);
    read_size_ = status.st_size;
    read_mtime_ns_ = mtime_ns;
  }
  close(fd);
}

void PerfMap::parse(std::string_view text) {
  while (!text.empty()) {
    const auto line_end = text.find('\n');
    auto line = text.substr(0, line_end);
    text.remove_prefix(line_end == std::string_view::npos ? text.size() : line_end + 1);
    const auto start = take_hex(line);
    const auto size = start ? take_hex(line) : std::nullopt;
    if (!size || *size == 0 || *start > UINT64_MAX - *size) continue;
    const auto end = *start + *size;

    auto overlapped = code_by_start_.upper_bound(*start);
    if (overlapped != code_by_start_.begin() && std::prev(overlapped)->second.end > *start) {
      --overlapped;
    }
    while (overlapped != code_by_start_.end() && overlapped->first < end) {
      overlapped = code_by_start_.erase(overlapped);
    }
    code_by_start_[*start] = {end, std::string(line.substr(0, max_name_bytes))};
  }
}

std::string_view PerfMap::name_at(std::uint64_t address) const {
  auto after = code_by_start_.upper_bound(address);
  if (after == code_by_start_.begin()) return "";
  const auto& [start, code] = *std::prev(after);
  return address < code.end ? std::string_view(code.name) : "";
}

}  // namespace ebbtide
