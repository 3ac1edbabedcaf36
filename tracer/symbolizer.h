// Answers: which function of which file is at this address of a live process?
//
// Uses the ELF symbol tables of the mapped files and, for just-in-time compiled code, the runtime's
// perf map if there is one. No debug information, no network.
#pragma once

#include <sys/types.h>

#include <cstdint>
#include <map>
#include <memory>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include "recording/result.h"
#include "recording/run.h"
#include "tracer/perf_map.h"
#include "tracer/process_maps.h"

namespace ebbtide {

// Not thread-safe. A file's table (24 bytes a function) is built when its first address is asked
// for, and kept.
class Symbolizer {
 public:
  explicit Symbolizer(pid_t pid);
  ~Symbolizer();
  Symbolizer(Symbolizer&&) noexcept;
  Symbolizer& operator=(Symbolizer&&) noexcept;

  // Takes in what the process has mapped since. Call before each batch of stacks. Error: the
  // process is gone; what was known of it still serves.
  Result<void> refresh();

  // One frame per address, innermost first. The first address is the instruction that was running;
  // the others are return addresses, which belong to the call before them. What is not known stays
  // empty. Names are the target's own text: unescaped, at most 4096 bytes.
  std::vector<Frame> resolve(std::span<const std::uint64_t> stack);

 private:
  class Module;
  using FileId = std::pair<std::uint64_t, std::uint64_t>;  // device, inode

  Frame resolve_one(std::uint64_t address, std::uint64_t looked_up);
  Module& module_of(const ProcessMapping& mapping);

  pid_t pid_;
  std::vector<ProcessMapping> mappings_;  // executable ones, by address
  std::map<FileId, std::unique_ptr<Module>> modules_;
  PerfMap perf_map_;
};

}  // namespace ebbtide
