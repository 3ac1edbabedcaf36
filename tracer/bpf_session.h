// Answers: how do we hold the kernel side of one run? Loads and attaches bpf/ebbtide.bpf.c for the
// target's processes and gives typed access to its ring, maps, iterators and shared words.
// Everything is detached when the object dies, and by the kernel when the process does.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "bpf/event.h"
#include "recording/result.h"
#include "tracer/target.h"
#include "tracer/v8/v8_target.h"

namespace ebbtide {

struct BpfOptions {
  std::vector<std::int32_t> tgids;  // 1 … EBB_MAX_PROCESSES
  bool fd_events = false;
  bool event_loop = false;
  bool upstream = false;
  std::uint32_t fault_period = 0;       // 0: page faults are not sampled
  std::uint32_t ring_bytes = 4U << 20;  // a power of two, at least a page
};

class BpfSession {
 public:
  // Loads the programs. Errors name what the kernel lacks or which right the caller lacks.
  static Result<std::unique_ptr<BpfSession>> load(const BpfOptions& options);
  ~BpfSession();
  BpfSession(const BpfSession&) = delete;
  BpfSession& operator=(const BpfSession&) = delete;

  // Declares the addresses whose accepted connections are the target's; repeatable.
  Result<void> follow_listeners(std::uint32_t netns, const std::vector<Listener>& listeners);

  // Attaches the base tier.
  Result<void> attach();

  // Attaches the GC probes to `file` in one process; optional.
  Result<void> attach_gc(std::int32_t tgid, const std::string& file, const GcSites& sites);

  // Declares that a thread waits for events now; else its loop is known from its next turn on.
  void follow_loop(std::int32_t tgid, std::int32_t tid);

  void set_epoch(std::uint32_t epoch);
  [[nodiscard]] ebb_counters counters() const;

  // Accepted sockets born in `cycle` that have not reached TCP_CLOSE.
  [[nodiscard]] std::uint32_t live_accepted(std::uint32_t cycle) const;

  // Hands every waiting record to `consumer`; returns how many.
  using Consumer = std::function<void(const ebb_header& header, std::size_t size)>;
  std::size_t drain(const Consumer& consumer);

  // How often the kernel did not run a program because another was running on that CPU; 0 where it
  // does not say (before 5.12).
  [[nodiscard]] std::uint64_t missed_runs() const;

  // A process' fd table. `adopt`: also begin to follow the TCP sockets it already has.
  Result<std::vector<ebb_fd_record>> read_fds(std::int32_t tgid, bool adopt = false);

  // A process' mappings, ascending. Error before 5.12, which has no iter/task_vma.
  Result<std::vector<ebb_vma_record>> read_vmas(std::int32_t tgid);

  // The queues of the accepted sockets; nullopt where the kernel cannot walk a map (before 5.13).
  std::optional<ebb_socket_queues> read_socket_queues();

  // All followed sockets that live, or an error: never a part of them.
  [[nodiscard]] Result<std::vector<ebb_socket>> read_sockets() const;
  [[nodiscard]] std::optional<ebb_stack> read_stack(std::uint64_t id) const;
  [[nodiscard]] Result<std::vector<std::pair<ebb_fault_key, std::uint64_t>>> read_faults() const;

  // The event loops of threads that live, by tid.
  [[nodiscard]] Result<std::vector<std::pair<std::uint32_t, ebb_loop>>> read_loops() const;

  // What was waited for in all epochs but `open_epoch`, which goes on; each is handed out once.
  using UpstreamWaits = std::vector<std::pair<ebb_upstream_key, ebb_upstream_wait>>;
  Result<UpstreamWaits> take_upstream_waits(std::optional<std::uint32_t> open_epoch);

 private:
  struct Kernel;
  explicit BpfSession(std::unique_ptr<Kernel> kernel);
  std::unique_ptr<Kernel> kernel_;
};

}  // namespace ebbtide
