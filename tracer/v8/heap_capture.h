// Answers: what is in the heap of this V8 process right now, without its help? Holds the threads
// for as long as copying takes and touches nothing else: no inspector, no collection, no signal.
#pragma once

#include <sys/types.h>

#include <memory>

#include "recording/heap_image.h"
#include "recording/result.h"

namespace ebbtide {

// Takes images of one process. What costs time and does not change (symbols) is read once.
class HeapCapture {
 public:
  // Errors: no V8 that its v8dbg symbols would describe (bun, deno, a stripped build), pointer
  // compression, or no right to ptrace; the message names the sysctl or capability.
  static Result<std::unique_ptr<HeapCapture>> open(pid_t pid);
  ~HeapCapture();
  HeapCapture(const HeapCapture&) = delete;
  HeapCapture& operator=(const HeapCapture&) = delete;

  // Blocks the calling thread. The target's threads run on in every case: after an error, after
  // our death, and when copying takes longer than its limit (then an error). The buffer of the
  // image before is used again if nobody holds it any more.
  Result<HeapImage> take();

 private:
  struct State;
  explicit HeapCapture(std::unique_ptr<State> state);
  std::unique_ptr<State> state_;
};

}  // namespace ebbtide
