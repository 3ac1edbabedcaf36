// Answers: which resources do the traced processes hold, since which epoch? Takes events and
// censuses in the order they come and writes Resource, SocketLife, Gc and FdEvent rows. One thread
// owns it.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <map>
#include <string>
#include <unordered_map>
#include <vector>

#include "bpf/event.h"
#include "recording/run.h"
#include "tracer/address_space.h"
#include "tracer/proc.h"

namespace ebbtide {

// An entry of a traced process' fd table, whichever way it was read.
struct FdObservation {
  std::int32_t pid = 0;
  std::int32_t fd = -1;
  std::uint64_t identity = 0;  // of the open file; compared, never stored
  GaugeKind kind = GaugeKind::fd_other;
  std::string label;            // "pipe", "tcp (listening)", …
  std::uint64_t socket_id = 0;  // of a followed TCP socket
  std::uint64_t inode = 0;      // of a socket
};

// What ended a process, as far as its task events tell.
struct ProcessEnd {
  bool exec = false;
  bool exited = false;
  std::int32_t exit_code = 0;  // as wait(2) gives it
};

class ResourceTable {
 public:
  using Sink = std::function<void(Record)>;

  ResourceTable(const std::vector<std::int32_t>& pids, const Sink& sink);

  // State from before the tracer: no births are recorded for it. `heap_end` is the program break,
  // 0 when there is no [heap].
  void seed_mappings(std::int32_t pid, const std::vector<IntervalMap::Interval>& mappings,
                     std::uint64_t heap_end);
  void seed_threads(std::int32_t pid, const std::vector<TaskEntry>& threads);

  // One ring buffer record.
  void take(const ebb_header& header, std::size_t size);

  // The censuses of a settle point, each of all processes. Each writes what is new, changed or
  // gone.
  void take_fds(const std::vector<FdObservation>& fds, std::uint32_t epoch, std::uint64_t now_ns);
  void take_live_sockets(const std::vector<ebb_socket>& sockets, std::uint64_t now_ns);
  void write_mappings(std::uint64_t now_ns);

  // Corrects a process' rebuilt mappings by the kernel's; returns how many bytes were wrong.
  std::uint64_t reconcile_mappings(std::int32_t pid,
                                   const std::vector<IntervalMap::Interval>& truth,
                                   std::uint32_t epoch, std::uint64_t now_ns);

  // Writes how many mappings and threads were born in `cycle`.
  void write_births(std::uint32_t cycle);

  [[nodiscard]] std::uint64_t mapped_bytes() const;
  [[nodiscard]] const ProcessEnd& end_of(std::int32_t pid) const { return processes_.at(pid).end; }

 private:
  using Tasks = std::unordered_map<std::int32_t, Resource>;  // by tid
  using FdKey = std::uint64_t;                               // pid and fd

  struct Process {
    Process(std::int32_t pid, std::uint64_t first_number, const Sink& sink)
        : memory(pid, first_number, sink) {}

    AddressSpace memory;
    Tasks threads;
    ProcessEnd end;
  };
  struct Holder {
    std::int32_t pid = 0;
    std::int32_t fd = -1;
  };
  struct HeldFd {
    FdObservation seen;
    Resource resource;     // born when first seen
    bool written = false;  // not while it is a followed TCP socket, which has a row of its own
  };

  Process* find(std::uint32_t tgid);
  void on_task(const ebb_task_event& event);
  void on_socket_end(const ebb_socket& socket);
  void on_gc(const ebb_gc_event& event);
  void on_fd(const ebb_fd_event& event);
  void write_socket(const ebb_socket& socket, std::uint64_t end_ns);
  void end_fd(const HeldFd& held, std::uint64_t now_ns);
  void begin_task(ResourceKind kind, const ebb_task_event& event, Tasks& tasks);
  void end_task(const ebb_task_event& event, Tasks& tasks);

  Sink sink_;
  std::map<std::int32_t, Process> processes_;
  std::unordered_map<std::uint32_t, std::uint64_t> threads_born_;  // by cycle
  Tasks children_;
  std::uint64_t last_task_ = 0;

  std::unordered_map<std::uint64_t, ebb_socket> open_sockets_;  // written while alive, by id
  std::unordered_map<std::uint64_t, Holder> holder_of_socket_;  // in the last fd census
  std::unordered_map<FdKey, HeldFd> fds_;
  std::uint64_t last_fd_ = 0;
};

}  // namespace ebbtide
