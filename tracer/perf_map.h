// Answers: which function of just-in-time compiled code is at this address? From the text file that
// a runtime may write for `perf` (node --perf-basic-prof): /tmp/perf-PID.map, with lines
// "START SIZE NAME" in hex.
//
// Whoever owns the target writes that file, so its size, its numbers and its names are bounded, and
// it is opened without leaving the target's root directory.
#pragma once

#include <sys/types.h>

#include <cstdint>
#include <map>
#include <string>
#include <string_view>

namespace ebbtide {

class PerfMap {
 public:
  // Reads the file again if it has changed since. Without one the map is empty.
  void refresh(pid_t pid);

  // Adds the lines of text; a later line takes the place of every earlier one it overlaps, since
  // the runtime reuses addresses.
  void parse(std::string_view text);

  // "" when unknown; unescaped, as the runtime wrote it.
  [[nodiscard]] std::string_view name_at(std::uint64_t address) const;

 private:
  struct Code {
    std::uint64_t end = 0;
    std::string name;
  };
  std::map<std::uint64_t, Code> code_by_start_;
  std::int64_t read_size_ = -1;
  std::int64_t read_mtime_ns_ = -1;
};

}  // namespace ebbtide
