#include "tracer/process_maps.h"

#include <fmt/format.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>

#include <algorithm>
#include <cerrno>
#include <charconv>
#include <cstring>
#include <fstream>
#include <iterator>
#include <optional>

namespace ebbtide {
namespace {

// Takes a number that ends at `end` off the front of text.
std::optional<std::uint64_t> take_number(std::string_view& text, char end, int base) {
  std::uint64_t value = 0;
  const auto [stop, code] = std::from_chars(text.data(), text.data() + text.size(), value, base);
  if (code != std::errc{}) return std::nullopt;
  text.remove_prefix(static_cast<std::size_t>(stop - text.data()));
  if (!text.empty()) {
    if (text.front() != end) return std::nullopt;
    text.remove_prefix(1);
  }
  return value;
}

// The kernel writes a newline in a file name as \012 and leaves every other byte alone.
std::string unescape(std::string_view name) {
  std::string plain;
  while (!name.empty()) {
    const auto at = name.find("\\012");
    plain += name.substr(0, at);
    if (at == std::string_view::npos) break;
    plain += '\n';
    name.remove_prefix(at + 4);
  }
  return plain;
}

// START-END PERMS OFFSET MAJOR:MINOR INODE   PATH
std::optional<ProcessMapping> parse_line(std::string_view line) {
  ProcessMapping mapping;
  const auto start = take_number(line, '-', 16);
  const auto end = start ? take_number(line, ' ', 16) : std::nullopt;
  if (!end || line.size() < 5) return std::nullopt;
  mapping.readable = line[0] == 'r';
  mapping.writable = line[1] == 'w';
  mapping.executable = line[2] == 'x';
  line.remove_prefix(5);
  const auto offset = take_number(line, ' ', 16);
  const auto device_major = offset ? take_number(line, ':', 16) : std::nullopt;
  const auto device_minor = device_major ? take_number(line, ' ', 16) : std::nullopt;
  const auto inode = device_minor ? take_number(line, ' ', 10) : std::nullopt;
  if (!inode) return std::nullopt;
  mapping.start = *start;
  mapping.end = *end;
  mapping.file_offset = *offset;
  mapping.device_major = static_cast<std::uint32_t>(*device_major);
  mapping.device_minor = static_cast<std::uint32_t>(*device_minor);
  mapping.inode = *inode;

  line.remove_prefix(std::min(line.find_first_not_of(' '), line.size()));
  constexpr std::string_view deleted_mark = " (deleted)";
  if (mapping.inode != 0 && line.ends_with(deleted_mark)) {
    mapping.deleted = true;
    line.remove_suffix(deleted_mark.size());
  }
  mapping.path = unescape(line);
  return mapping;
}

}  // namespace

std::vector<ProcessMapping> parse_process_maps(std::string_view text) {
  std::vector<ProcessMapping> mappings;
  while (!text.empty()) {
    const auto end = text.find('\n');
    if (auto mapping = parse_line(text.substr(0, end))) mappings.push_back(std::move(*mapping));
    if (end == std::string_view::npos) break;
    text.remove_prefix(end + 1);
  }
  return mappings;
}

Result<std::vector<ProcessMapping>> read_process_maps(pid_t pid) {
  const auto path = fmt::format("/proc/{}/maps", pid);
  errno = 0;
  std::ifstream file(path);
  const std::string text{std::istreambuf_iterator<char>(file), {}};
  if (text.empty()) {
    const int code = errno;
    // Opening succeeds for another user's process; it is reading that fails or gives nothing.
    return Error{"read", path, code != 0 ? std::strerror(code) : "the process has no memory",
                 code == EACCES || code == EPERM ? "run as root or as the process's own user"
                                                 : "check that the process is still running"};
  }
  return parse_process_maps(text);
}

Result<std::string> openable_path(pid_t pid, const ProcessMapping& mapping) {
  struct stat status {};
  auto in_root = fmt::format("/proc/{}/root{}", pid, mapping.path);
  if (!mapping.deleted && stat(in_root.c_str(), &status) == 0 && status.st_ino == mapping.inode &&
      major(status.st_dev) == mapping.device_major &&
      minor(status.st_dev) == mapping.device_minor) {
    return in_root;
  }
  auto map_file = fmt::format("/proc/{}/map_files/{:x}-{:x}", pid, mapping.start, mapping.end);
  if (stat(map_file.c_str(), &status) == 0) return map_file;
  return Error{
      "open", mapping.path,
      fmt::format("the file mapped into process {} is no longer under its path, and {}: {}", pid,
                  map_file, std::strerror(errno)),
      "run as root (map_files needs CAP_SYS_ADMIN)"};
}

}  // namespace ebbtide
