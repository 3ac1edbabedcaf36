// Answers: what do the target's JavaScript heaps say during a run? Forces collections and takes
// snapshots through the inspector, reads heaps from outside, and records what came of it. Of either
// way it says once, in a tier's row, whether it is open and why not.
#pragma once

#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/awaitable.hpp>
#include <boost/asio/thread_pool.hpp>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "cli/heap_watch.h"
#include "cli/progress.h"
#include "recording/result.h"
#include "recording/run.h"
#include "tracer/tracer.h"
#include "tracer/v8/inspector.h"

namespace ebbtide {

struct V8Plan {
  bool v8 = false;                      // the target is V8
  bool inspector = true;                // try to open it
  std::int32_t pid = 0;                 // whose inspector
  std::size_t processes = 1;            // of the target
  std::vector<std::int32_t> heap_pids;  // processes whose heap is read from outside; may be none
  std::string snapshot_directory;       // where heap snapshots go; "": none are taken
};

class V8Evidence {
 public:
  // `stopping`: the run ends, so that a failure now is no failure worth a note.
  V8Evidence(boost::asio::any_io_executor executor, V8Plan plan, Tracer& tracer, Progress& progress,
             std::function<bool()> stopping);

  boost::asio::awaitable<void> open();
  boost::asio::awaitable<void> close();

  // True when V8 was disturbed at this settle point: it gives pages back on threads of its own.
  [[nodiscard]] bool leaves_an_echo() const { return inspector_ || heap_watch_; }

  // A full collection, then the gauges that only hold behind one.
  boost::asio::awaitable<void> collect_garbage(std::uint32_t cycle);

  // What the heaps hold and by which paths. A heap of hundreds of megabytes takes seconds to read:
  // then it is not done at every call, so that the looks take a fifth of the run at most, unless
  // `must`.
  boost::asio::awaitable<void> look(std::uint32_t cycle, bool must);

  // The last look took less than a second: the next may be a must.
  [[nodiscard]] bool looks_quickly() const { return last_look_took_ns_ < 1'000'000'000; }

  // How much they hold.
  boost::asio::awaitable<void> weigh(std::uint32_t cycle, Point point);

  // Behind the cycle's gauges: a snapshot spoils every later reading of memory. `written` is called
  // with the bytes that have come so far.
  boost::asio::awaitable<Result<void>> take_snapshot(std::uint32_t cycle,
                                                     std::function<void(std::uint64_t)> written);

 private:
  boost::asio::awaitable<void> open_inspector();
  boost::asio::awaitable<void> open_heap_watch();
  void give_up_heap(std::uint32_t cycle, const Error& why);
  void note(std::uint32_t cycle, std::string text);

  boost::asio::any_io_executor executor_;
  V8Plan plan_;
  Tracer& tracer_;
  Progress& progress_;
  std::function<bool()> stopping_;
  std::unique_ptr<InspectorSession> inspector_;
  std::unique_ptr<HeapWatch> heap_watch_;
  boost::asio::thread_pool heap_thread_{1};  // reading a heap takes longer than a timer may wait
  std::uint64_t last_look_end_ns_ = 0;
  std::uint64_t last_look_took_ns_ = 0;
  std::uint64_t paths_left_out_ = 0;  // at the look with the most
  std::uint32_t last_cycle_ = 0;
};

}  // namespace ebbtide
