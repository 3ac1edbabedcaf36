// Answers: which resources does the target hold, since which epoch? Takes events and censuses in
// the order they come and writes Resource, SocketLife, Gc and FdEvent rows. One thread owns it.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <string>
#include <unordered_map>
#include <unordered_set>
#include <vector>

#include "bpf/event.h"
#include "recording/run.h"
#include "tracer/interval_map.h"

namespace ebbtide {

// An entry of the target's fd table, whichever way it was read.
struct FdObservation {
  std::int32_t fd = -1;
  std::uint64_t identity = 0;  // of the open file; compared, never stored
  GaugeKind kind = GaugeKind::fd_other;
  std::string label;            // "pipe", "tcp (listening)", …
  std::uint64_t socket_id = 0;  // of a followed TCP socket
};

// What ended the target, as far as its task events tell.
struct TargetEnd {
  bool exec = false;
  bool exited = false;
  std::int32_t exit_code = 0;  // as wait(2) gives it
};

class ResourceTable {
 public:
  using Sink = std::function<void(Record)>;

  ResourceTable(std::int32_t tgid, Sink sink);

  // State from before the tracer: no births are recorded for it. `heap_end` is the program break,
  // 0 when there is no [heap].
  void seed_mappings(const std::vector<IntervalMap::Interval>& mappings, std::uint64_t heap_end);
  void seed_threads(const std::vector<std::pair<std::int32_t, std::string>>& threads);

  // One ring buffer record.
  void take(const ebb_header& header, std::size_t size);

  // The censuses of a settle point. Each writes what is new, changed or gone.
  void take_fds(const std::vector<FdObservation>& fds, std::uint32_t epoch, std::uint64_t now_ns);
  void take_live_sockets(const std::vector<ebb_socket>& sockets, std::uint64_t now_ns);
  void write_mappings(std::uint64_t now_ns);

  // Corrects the rebuilt mappings by the kernel's; returns how many bytes were wrong.
  std::uint64_t reconcile_mappings(const std::vector<IntervalMap::Interval>& truth,
                                   std::uint32_t epoch, std::uint64_t now_ns);

  // Writes how many mappings and threads were born in `cycle`.
  void write_births(std::uint32_t cycle);

  [[nodiscard]] std::uint64_t mapped_bytes() const { return mappings_.total_bytes(); }
  [[nodiscard]] const TargetEnd& target_end() const { return target_end_; }

 private:
  struct Mapping {
    Resource resource;
    bool written = false;
  };
  struct Born {
    std::uint64_t count = 0;
    std::uint64_t bytes = 0;
  };
  struct HeldFd {
    FdObservation seen;
    Resource resource;     // born when first seen
    bool written = false;  // not while it is a followed TCP socket, which has a row of its own
  };

  void on_mapping(const ebb_mapping_event& event);
  void on_break(const ebb_mapping_event& event, IntervalMap::Owner owner);
  void on_task(const ebb_task_event& event);
  void on_socket_end(const ebb_socket& socket);
  void on_gc(const ebb_gc_event& event);
  void on_fd(const ebb_fd_event& event);
  void write_socket(const ebb_socket& socket, std::uint64_t end_ns);
  void end_fd(const HeldFd& held, std::uint64_t now_ns);
  void begin_task(ResourceKind kind, const ebb_task_event& event);
  void end_task(ResourceKind kind, const ebb_task_event& event);
  IntervalMap::Owner new_mapping(std::uint32_t epoch, std::uint64_t birth_ns,
                                 std::uint64_t stack_id, std::string label);
  std::unordered_map<std::int32_t, Resource>& tasks(ResourceKind kind);

  std::int32_t tgid_;
  Sink sink_;
  TargetEnd target_end_;
  std::uint64_t page_bytes_;

  IntervalMap mappings_;
  std::uint64_t heap_end_ = 0;
  IntervalMap::Owner last_owner_ = 0;
  std::unordered_map<IntervalMap::Owner, Mapping> births_;  // mappings born in this run
  std::unordered_map<std::uint32_t, Born> mappings_born_;   // by cycle
  std::unordered_map<std::uint32_t, std::uint64_t> threads_born_;

  std::unordered_map<std::uint64_t, ebb_socket> open_sockets_;  // written while alive, by id
  std::unordered_map<std::uint64_t, std::int32_t> fd_of_socket_;
  std::unordered_map<std::int32_t, HeldFd> fds_;
  std::uint64_t last_fd_ = 0;
  std::unordered_map<std::int32_t, Resource> threads_;   // by tid
  std::unordered_map<std::int32_t, Resource> children_;  // by tgid
  std::uint64_t last_task_ = 0;
};

}  // namespace ebbtide
