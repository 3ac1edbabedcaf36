// Answers: what would `ebbtide connections` or `ebbtide broadcast` have recorded if the target
// behaved just so? Hand-made recordings for the tests of analysis/load/.
#pragma once

#include <cstdint>
#include <functional>

#include "recording/run.h"

namespace ebbtide {

// One level of a connections run. A connection takes 100 µs to connect, 1 ms to upgrade and 400 µs
// to its first answer, unless `change` says otherwise.
struct PlannedLevel {
  std::uint32_t connections = 10;
  std::function<void(Connection&, std::uint32_t index)> change = {};
  double busy_share = 0.4;
  std::uint64_t longest_turn_ns = 5'000'000;
  std::int64_t overflows = 0;
  bool finished = true;  // else the run ended while it was opened
};

// A Node server whose connections cost 9,000 bytes of RSS, 4,000 of heap, 1,000 of Buffers and
// 3,000 in the kernel, beside 2 MiB of RSS that the first ones bring.
class LevelsRun {
 public:
  LevelsRun();

  LevelsRun& level(const PlannedLevel& planned);
  LevelsRun& levels(std::initializer_list<std::uint32_t> connections);
  LevelsRun& ends(EndReason reason, const std::string& detail);
  // Takes out what eBPF, or the heap census, would have seen.
  LevelsRun& without_ebpf();
  LevelsRun& without_heap();

  Recording recording;

 private:
  void gauge(std::uint32_t cycle, Point point, GaugeKind kind, double value);
  void gauges(std::uint32_t cycle, Point point, double open);

  std::uint64_t now_ns_ = 1'000'000'000'000;
  double most_open_ = 0;
  std::int64_t overflows_ = 12;
};

// A broadcast: 20 clients, 100 triggers one every 10 ms, each answered after 2 ms and delivered to
// every client 3 ms after it was sent; the server waits 1.8 ms of it for a database.
class BroadcastRun {
 public:
  BroadcastRun();

  // Changes each trigger.
  BroadcastRun& triggers(const std::function<void(Trigger&)>& change);

  Recording recording;
};

}  // namespace ebbtide
