// Answers: what do the target's JavaScript heaps hold at a settle point? Takes an image of each
// process's heap from outside, reads it, and reduces it to the rows that a recording keeps. Rows of
// several processes carry the same isolate and path: workers run the same code, and their levels
// are summed.
#pragma once

#include <sys/types.h>

#include <chrono>
#include <cstdint>
#include <memory>
#include <string>
#include <unordered_set>
#include <vector>

#include "analysis/heap/digest.h"
#include "recording/result.h"
#include "recording/run.h"
#include "tracer/v8/heap_capture.h"

namespace ebbtide {

// Texts that scripts of this process refer to, read as the process sees its file system.
ReadText texts_of_process(pid_t pid);

struct HeapLook {
  std::vector<Record> rows;  // censuses, classes, new paths, levels, gauges
  std::uint64_t paths_left_out = 0;
};

class HeapWatch {
 public:
  // Error: the heap of one of them cannot be read, with the first reason.
  static Result<std::unique_ptr<HeapWatch>> open(const std::vector<pid_t>& pids);

  // What each heap holds, with its paths, at the cycle's settle point. Blocks the calling thread:
  // milliseconds for a small heap, seconds for one of 500 MB.
  Result<HeapLook> look(std::uint32_t cycle);

  // How much they hold, as gauges: for points where nothing has been left behind yet. Blocks too.
  Result<std::vector<Gauge>> weigh(std::uint32_t cycle, Point point);

 private:
  struct Process {
    pid_t pid = 0;
    std::unique_ptr<HeapCapture> capture;
    std::unique_ptr<HeapDigester> digester;
  };
  explicit HeapWatch(std::vector<Process> processes);
  Result<void> look_at(Process& process, std::uint32_t cycle, HeapLook& look);

  std::vector<Process> processes_;
  std::unordered_set<std::uint64_t> known_paths_;
};

}  // namespace ebbtide
