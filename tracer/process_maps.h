// Answers: what is mapped into a live process, and under which path can we open the very file that
// is behind a mapping, be it in a container, deleted, or replaced on disk since?
#pragma once

#include <sys/types.h>

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "recording/result.h"

namespace ebbtide {

// One line of /proc/PID/maps.
struct ProcessMapping {
  std::uint64_t start = 0;
  std::uint64_t end = 0;
  std::uint64_t file_offset = 0;
  bool readable = false;
  bool writable = false;
  bool executable = false;
  std::uint32_t device_major = 0;
  std::uint32_t device_minor = 0;
  std::uint64_t inode = 0;  // 0: no file
  std::string path;         // as the process sees it; "[heap]", "[vdso]"; "" when anonymous
  bool deleted = false;     // unlinked since it was mapped
};

// In address order. Error: the process is gone or is not ours to look at.
Result<std::vector<ProcessMapping>> read_process_maps(pid_t pid);

// The mapping part of the above; lines that do not parse are left out.
std::vector<ProcessMapping> parse_process_maps(std::string_view text);

// A path through which the mapped file itself opens, valid while the process lives:
// /proc/PID/root/PATH if that is still the same inode, else /proc/PID/map_files/RANGE.
// Precondition: mapping.inode != 0. Error: neither opens.
Result<std::string> openable_path(pid_t pid, const ProcessMapping& mapping);

}  // namespace ebbtide
