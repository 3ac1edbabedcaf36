#include "tracer/target_memory.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/uio.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstring>
#include <utility>

namespace ebbtide {
Result<TargetMemory> TargetMemory::open(pid_t pid) {
  const auto path = fmt::format("/proc/{}/pagemap", pid);
  const int fd = ::open(path.c_str(), O_RDONLY | O_CLOEXEC);
  if (fd < 0) {
    const int code = errno;
    return Error{"read", path, std::strerror(code),
                 code == ENOENT ? "check that the process is still running"
                                : "run as root, as the process's own user with "
                                  "kernel.yama.ptrace_scope=0, or grant CAP_SYS_PTRACE (setcap "
                                  "cap_sys_ptrace+ep on ebbtide)"};
  }
  return TargetMemory(pid, fd);
}

TargetMemory::TargetMemory(TargetMemory&& other) noexcept
    : pid_(other.pid_), pagemap_(std::exchange(other.pagemap_, -1)) {}

TargetMemory::~TargetMemory() {
  if (pagemap_ >= 0) close(pagemap_);
}

std::size_t TargetMemory::read_some(std::uint64_t address, std::span<std::byte> into) const {
  const iovec local{into.data(), into.size()};
  const iovec remote{reinterpret_cast<void*>(address), into.size()};
  const auto got = process_vm_readv(pid_, &local, 1, &remote, 1, 0);
  return got < 0 ? 0 : static_cast<std::size_t>(got);
}

std::vector<AddressRange> TargetMemory::resident(AddressRange range) const {
  constexpr std::uint64_t present_or_swapped = std::uint64_t{3} << 62;
  std::vector<AddressRange> found;
  std::array<std::uint64_t, 4096> entries{};
  for (auto page = range.start / page_size; page < range.end / page_size;) {
    const auto wanted = std::min(entries.size(), range.end / page_size - page);
    const auto got = pread(pagemap_, entries.data(), wanted * sizeof entries[0],
                           static_cast<off_t>(page * sizeof entries[0]));
    if (got <= 0) break;
    const auto count = static_cast<std::size_t>(got) / sizeof entries[0];
    for (std::size_t i = 0; i < count; ++i) {
      if ((entries[i] & present_or_swapped) == 0) continue;
      const auto start = (page + i) * page_size;
      if (found.empty() || found.back().end != start) found.push_back({start, start});
      found.back().end = start + page_size;
    }
    page += count;
  }
  return found;
}

}  // namespace ebbtide
