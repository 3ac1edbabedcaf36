// Answers: how much memory does a Node process's JavaScript really hold, after a full garbage
// collection? Asks the process's own inspector.
#pragma once

#include <sys/types.h>

#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/awaitable.hpp>
#include <chrono>
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <string>

#include "recording/result.h"

namespace ebbtide {

class DevtoolsChannel;

// In bytes, read right after the collection: the heap as Runtime.getHeapUsage tells it, the rest as
// process.memoryUsage() does.
struct HeapReading {
  std::int64_t heap_used = 0;
  std::int64_t heap_total = 0;
  std::int64_t external = 0;
  std::int64_t array_buffers = 0;
  std::int64_t rss = 0;
  std::uint64_t ts_ns = 0;    // CLOCK_MONOTONIC, when the answer came
  std::uint64_t took_ns = 0;  // collections and reading together
  // By process.getActiveResourcesInfo(), at most 64 kinds; empty before Node 17.3. Hostile text.
  std::map<std::string, std::uint64_t> active_resources;
};

// One session for a whole run: V8 numbers heap objects anew for each. Not thread-safe; one
// operation at a time. After an error from read_after_gc() only close() makes sense.
class InspectorSession {
 public:
  // Uses an inspector that is on already; else opens it with one SIGUSR1, when
  // tracer/v8/inspector_port.h allows it. Reading the target's symbol tables before that blocks the
  // calling thread for a fraction of a second. A request unanswered for `timeout` is an error.
  static boost::asio::awaitable<Result<std::unique_ptr<InspectorSession>>> open(
      boost::asio::any_io_executor executor, pid_t pid,
      std::chrono::milliseconds timeout = std::chrono::seconds(10));
  ~InspectorSession();

  boost::asio::awaitable<Result<HeapReading>> read_after_gc();

  // Writes a .heapsnapshot; the process stops for as long as that takes and keeps the memory it
  // needed for it. `written` is told the bytes so far. Error: `path` does not exist then.
  boost::asio::awaitable<Result<std::uint64_t>> take_snapshot(
      std::string path, std::function<void(std::uint64_t bytes)> written);

  // Leaves the process as it was found: shuts its inspector down if open() had started it.
  boost::asio::awaitable<void> close();

  [[nodiscard]] bool opened_by_us() const { return opened_by_us_; }

 private:
  InspectorSession(std::unique_ptr<DevtoolsChannel> channel, pid_t pid, bool opened_by_us);
  boost::asio::awaitable<Result<void>> collect_garbage();

  std::unique_ptr<DevtoolsChannel> channel_;  // null once closed
  pid_t pid_;
  bool opened_by_us_;
};

}  // namespace ebbtide
