#include "tracer/v8/heap_capture.h"

#include <fmt/format.h>

#include <algorithm>
#include <chrono>
#include <csignal>
#include <list>
#include <thread>
#include <utility>

#include "tracer/proc.h"
#include "tracer/v8/handle_blocks.h"
#include "tracer/v8/heap_copy.h"
#include "tracer/v8/thread_hold.h"
#include "tracer/v8/v8_layout.h"
#include "tracer/v8/v8_target.h"

namespace ebbtide {
namespace {

using Clock = ThreadHold::Clock;
using namespace std::chrono_literals;

constexpr auto longest_hold = 2s;
constexpr std::size_t pages_for_growth = 8 << 20;  // a heap grows while we look how large it is
constexpr int most_attempts = 3;

std::uint64_t monotonic_ns() {
  return static_cast<std::uint64_t>(
      std::chrono::nanoseconds(Clock::now().time_since_epoch()).count());
}

Error not_readable(pid_t pid, std::string reason, std::string remedy) {
  return {"read the heap of", fmt::format("process {}", pid), std::move(reason), std::move(remedy)};
}

// What one image keeps alive: the buffer, and the few blocks that were copied beside it.
struct ImageMemory {
  std::shared_ptr<CopyBuffer> chunks;
  std::list<std::vector<std::byte>> handle_blocks;
};

}  // namespace

struct HeapCapture::State {
  pid_t pid = 0;
  std::map<std::string, std::int32_t, std::less<>> layout;
  TargetMemory memory;
  MemoryMap map;
  HandleBlocks handles;
  std::size_t threads = 0;  // when the handles were searched for
  std::shared_ptr<CopyBuffer> buffer;

  Result<void> prepare();
  Result<HeapImage> copy_held(const std::shared_ptr<ImageMemory>& kept, bool& buffer_too_small);
};

HeapCapture::HeapCapture(std::unique_ptr<State> state) : state_(std::move(state)) {}
HeapCapture::~HeapCapture() = default;

Result<std::unique_ptr<HeapCapture>> HeapCapture::open(pid_t pid) {
  auto target = find_v8(pid);
  if (!target) return target.error();
  if (!*target) {
    return not_readable(pid, "it has no v8dbg symbols",
                        "Node from nodejs.org, NodeSource, npm or Debian has them; bun, deno and "
                        "stripped builds have not");
  }
  auto layout = read_v8_layout((*target)->file);
  if (!layout) return layout.error();
  const auto tagged_size = layout->find("TaggedSize");
  if (tagged_size != layout->end() && tagged_size->second != 8) {
    return not_readable(pid, "its V8 compresses pointers, which is not supported", "");
  }
  auto memory = TargetMemory::open(pid);
  if (!memory) return memory.error();
  return std::unique_ptr<HeapCapture>(new HeapCapture(std::unique_ptr<State>(
      new State{pid, std::move(*layout), std::move(*memory), {}, {}, 0, {}})));
}

// Everything that can be done while the process runs.
Result<void> HeapCapture::State::prepare() {
  map = {};
  if (auto refreshed = map.refresh(pid, memory); !refreshed) return refreshed.error();
  // A new thread may be a worker, with handles of its own.
  const auto threads_now = read_threads(pid).size();
  if (handles.empty() || threads_now != threads) handles.search(memory, map.malloc_memory());
  threads = threads_now;

  const auto needed = CopyPlan::of(map.chunks(), memory).buffer_size();
  if (needed == 0) return not_readable(pid, "it has no memory that looks like V8's", "");
  if (buffer == nullptr || buffer.use_count() > 1 || buffer->size() < needed) {
    buffer.reset();
    auto made = CopyBuffer::make(needed + needed / 10 + pages_for_growth);
    if (!made) return made.error();
    buffer = std::move(*made);
  }
  return {};
}

// On a thread of its own: when that ends, the kernel releases what we could not.
Result<HeapImage> HeapCapture::State::copy_held(const std::shared_ptr<ImageMemory>& kept,
                                                bool& buffer_too_small) {
  const auto begin = Clock::now();
  const auto late = [&] { return Clock::now() - begin > longest_hold; };
  auto hold = ThreadHold::take(pid, begin + longest_hold);
  if (!hold) return hold.error();

  HeapImage image;
  image.ts_ns = monotonic_ns();
  if (auto refreshed = map.refresh(pid, memory); !refreshed) return refreshed.error();
  const auto plan = CopyPlan::of(map.chunks(), memory);
  buffer_too_small = plan.buffer_size() > buffer->size();
  if (buffer_too_small) return not_readable(pid, "its heap grows faster than it is read", "");
  const bool copied = plan.copy(pid, buffer->data(), late);
  handles.read(memory, [&](std::uint64_t address, std::span<const std::byte> block) {
    const auto& kept_block = kept->handle_blocks.emplace_back(block.begin(), block.end());
    image.regions.push_back({address, kept_block});
  });
  hold->release();
  image.pause_ns =
      static_cast<std::uint64_t>(std::chrono::nanoseconds(Clock::now() - begin).count());

  if (!copied) {
    return not_readable(
        pid, late() ? "copying took longer than the process may be held" : "it ended meanwhile",
        "");
  }
  plan.clear_gaps(buffer->data());
  auto chunks = plan.regions(buffer->data());
  image.regions.insert(image.regions.end(), chunks.begin(), chunks.end());
  std::ranges::sort(image.regions, {}, &HeapRegion::start);
  image.copied_bytes = plan.resident_bytes();
  return image;
}

Result<HeapImage> HeapCapture::take() {
  for (int attempt = 1;; ++attempt) {
    if (auto prepared = state_->prepare(); !prepared) return prepared.error();
    auto kept = std::make_shared<ImageMemory>();
    kept->chunks = state_->buffer;
    bool buffer_too_small = false;
    Result<HeapImage> image = HeapImage{};
    // Signals are for the threads that wait for them.
    sigset_t all;
    sigset_t before;
    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, &before);
    std::thread holder([&] { image = state_->copy_held(kept, buffer_too_small); });
    pthread_sigmask(SIG_SETMASK, &before, nullptr);
    holder.join();
    if (buffer_too_small && attempt < most_attempts) continue;
    if (!image) return image.error();
    image->layout = state_->layout;
    image->memory = std::move(kept);
    return image;
  }
}

}  // namespace ebbtide
