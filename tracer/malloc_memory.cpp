#include "tracer/malloc_memory.h"

#include <fmt/format.h>

#include <cerrno>
#include <charconv>
#include <cstring>
#include <fstream>
#include <iterator>
#include <string>
#include <vector>

#include "tracer/process_maps.h"

namespace ebbtide {
namespace {

constexpr std::uint64_t arena_bytes = 64U << 20;

struct ResidentMapping {
  ProcessMapping mapping;
  std::uint64_t resident_bytes = 0;
};

std::vector<ResidentMapping> parse_smaps(std::string_view smaps) {
  constexpr std::string_view resident_field = "Rss:";
  std::vector<ResidentMapping> mappings;
  while (!smaps.empty()) {
    const auto end = smaps.find('\n');
    std::string_view line = smaps.substr(0, end);
    smaps.remove_prefix(end == std::string_view::npos ? smaps.size() : end + 1);
    if (line.starts_with(resident_field) && !mappings.empty()) {
      line.remove_prefix(std::min(line.find_first_of("0123456789"), line.size()));
      std::uint64_t kilobytes = 0;
      std::from_chars(line.data(), line.data() + line.size(), kilobytes);
      mappings.back().resident_bytes = kilobytes * 1024;
    } else if (auto parsed = parse_process_maps(line); !parsed.empty()) {
      mappings.push_back({std::move(parsed.front()), 0});
    }
  }
  return mappings;
}

bool is_private_memory(const ProcessMapping& mapping) {
  return mapping.inode == 0 && mapping.path.empty();
}

// An arena's used part and the reserved rest of it make 64 MB together.
bool is_arena(const ResidentMapping& used, const ResidentMapping* next) {
  const ProcessMapping& mapping = used.mapping;
  if (!is_private_memory(mapping) || !mapping.writable || mapping.start % arena_bytes != 0)
    return false;
  const std::uint64_t end = mapping.start + arena_bytes;
  if (mapping.end == end) return true;
  return next != nullptr && is_private_memory(next->mapping) && !next->mapping.readable &&
         next->mapping.start == mapping.end && next->mapping.end == end;
}

}  // namespace

std::uint64_t malloc_resident_in(std::string_view smaps) {
  const auto mappings = parse_smaps(smaps);
  std::uint64_t bytes = 0;
  for (std::size_t i = 0; i < mappings.size(); ++i) {
    const auto* next = i + 1 < mappings.size() ? &mappings[i + 1] : nullptr;
    if (mappings[i].mapping.path == "[heap]" || is_arena(mappings[i], next))
      bytes += mappings[i].resident_bytes;
  }
  return bytes;
}

Result<std::uint64_t> read_malloc_resident(std::int32_t pid) {
  const auto path = fmt::format("/proc/{}/smaps", pid);
  errno = 0;
  std::ifstream file(path);
  const std::string text{std::istreambuf_iterator<char>(file), {}};
  if (!text.empty()) return malloc_resident_in(text);
  const int code = errno;
  return Error{"read", path, code != 0 ? std::strerror(code) : "the process has no memory",
               code == EACCES || code == EPERM ? "run as root or as the process's own user"
                                               : "check that the process is still running"};
}

}  // namespace ebbtide
