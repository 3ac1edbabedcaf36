#include "cli/v8_evidence.h"

#include <fmt/format.h>

#include <algorithm>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <optional>
#include <type_traits>
#include <utility>

#include "recording/clock.h"

namespace ebbtide {

namespace asio = boost::asio;
using asio::awaitable;
using asio::use_awaitable;

namespace {

// What `work` returns, done on a thread of the pool: the caller's timers and signals go on.
template <class Work>
awaitable<std::invoke_result_t<Work>> run_on(asio::thread_pool& pool, Work work) {
  std::optional<std::invoke_result_t<Work>> outcome;
  const auto run = [&]() -> awaitable<void> {
    outcome.emplace(work());
    co_return;
  };
  co_await asio::co_spawn(pool, run, use_awaitable);
  co_return *std::move(outcome);
}

}  // namespace

V8Evidence::V8Evidence(asio::any_io_executor executor, V8Plan plan, Tracer& tracer,
                       Progress& progress, std::function<bool()> stopping)
    : executor_(std::move(executor)),
      plan_(std::move(plan)),
      tracer_(tracer),
      progress_(progress),
      stopping_(std::move(stopping)) {}

awaitable<void> V8Evidence::open() {
  if (!stopping_()) co_await open_inspector();
  if (!stopping_()) co_await open_heap_watch();
}

awaitable<void> V8Evidence::close() {
  if (paths_left_out_ > 0) {
    note(last_cycle_,
         fmt::format("of the JavaScript heap, up to {} retainer paths at a look led to too few "
                     "objects to be kept in the recording",
                     paths_left_out_));
  }
  if (inspector_) co_await inspector_->close();
}

awaitable<void> V8Evidence::open_inspector() {
  Tier tier{.name = "inspector", .on = false, .detail = {}};
  if (!plan_.v8) {
    tier.detail = "the target is not V8";
  } else if (!plan_.inspector) {
    tier.detail = "refused by --no-inspector";
  } else if (plan_.processes > 1) {
    tier.detail = "one process at a time can listen on its port, and the target has several";
  } else {
    auto opened = co_await InspectorSession::open(executor_, plan_.pid);
    tier.on = opened.has_value();
    if (opened) {
      inspector_ = *std::move(opened);
      tier.detail = inspector_->opened_by_us()
                        ? "opened by SIGUSR1: a full GC before each settled gauge"
                        : "was on already: a full GC before each settled gauge";
    } else {
      tier.detail = opened.error().message();
      progress_.say("no inspector: " + opened.error().message());
      if (!opened.error().remedy.empty()) progress_.say("  " + opened.error().remedy);
    }
  }
  tracer_.record(tier);
}

awaitable<void> V8Evidence::open_heap_watch() {
  Tier tier{.name = "heap-census", .on = false, .detail = {}};
  if (!plan_.v8) {
    tier.detail = "the target is not V8";
  } else if (plan_.heap_pids.empty()) {
    tier.detail = "refused by --no-heap-census";
  } else {
    auto opened =
        co_await run_on(heap_thread_, [this] { return HeapWatch::open(plan_.heap_pids); });
    tier.on = opened.has_value();
    if (opened) {
      heap_watch_ = *std::move(opened);
      tier.detail = "the JavaScript heap read from outside at settle points";
    } else {
      tier.detail = opened.error().message();
      progress_.say("no heap census: " + opened.error().message());
      if (!opened.error().remedy.empty()) progress_.say("  " + opened.error().remedy);
    }
  }
  tracer_.record(tier);
}

awaitable<void> V8Evidence::collect_garbage(std::uint32_t cycle) {
  if (!inspector_) co_return;
  const auto reading = co_await inspector_->read_after_gc();
  if (!reading) {
    if (stopping_()) co_return;
    note(cycle, "the inspector stopped answering: " + reading.error().message());
    co_await inspector_->close();
    inspector_.reset();
    co_return;
  }
  for (const auto& [kind, value] : {std::pair{GaugeKind::heap_used, reading->heap_used},
                                    std::pair{GaugeKind::heap_total, reading->heap_total},
                                    std::pair{GaugeKind::external, reading->external},
                                    std::pair{GaugeKind::array_buffers, reading->array_buffers}})
    tracer_.record(Gauge{cycle, Point::settled, kind, reading->ts_ns, value});
  for (const auto& [kind, count] : reading->active_resources)
    tracer_.record(ActiveResource{cycle, kind, count});
}

awaitable<void> V8Evidence::look(std::uint32_t cycle, bool must) {
  const std::uint64_t start_ns = monotonic_ns();
  const bool due = start_ns - last_look_end_ns_ >= 4 * last_look_took_ns_;
  if (!heap_watch_ || !(must || due)) co_return;
  last_cycle_ = cycle;
  auto looked = co_await run_on(heap_thread_, [&] { return heap_watch_->look(cycle); });
  last_look_end_ns_ = monotonic_ns();
  last_look_took_ns_ = last_look_end_ns_ - start_ns;
  if (!looked) {
    give_up_heap(cycle, looked.error());
    co_return;
  }
  for (Record& row : looked->rows) tracer_.record(std::move(row));
  paths_left_out_ = std::max(paths_left_out_, looked->paths_left_out);
}

awaitable<void> V8Evidence::weigh(std::uint32_t cycle, Point point) {
  if (!heap_watch_) co_return;
  auto weighed = co_await run_on(heap_thread_, [&] { return heap_watch_->weigh(cycle, point); });
  if (!weighed) {
    give_up_heap(cycle, weighed.error());
    co_return;
  }
  for (const Gauge& gauge : *weighed) tracer_.record(gauge);
}

void V8Evidence::give_up_heap(std::uint32_t cycle, const Error& why) {
  if (stopping_()) return;
  note(cycle, "the heap census failed: " + why.message());
  heap_watch_.reset();
}

awaitable<Result<void>> V8Evidence::take_snapshot(std::uint32_t cycle,
                                                  std::function<void(std::uint64_t)> written) {
  if (!inspector_) co_return Result<void>{};
  SnapshotFile file{
      .cycle = cycle,
      .ts_ns = monotonic_ns(),
      .path = fmt::format("{}/cycle-{:03}.heapsnapshot", plan_.snapshot_directory, cycle)};
  const auto taken = co_await inspector_->take_snapshot(file.path, written);
  if (!taken) co_return taken.error();
  file.took_ns = monotonic_ns() - file.ts_ns;
  file.size_bytes = *taken;
  tracer_.record(file);
  co_return Result<void>{};
}

void V8Evidence::note(std::uint32_t cycle, std::string text) {
  tracer_.record(Note{monotonic_ns(), cycle, std::move(text)});
}

}  // namespace ebbtide
