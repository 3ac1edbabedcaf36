// Answers: what does this machine allow, feature by feature, and what turns a missing one on?
// Features are probed, never guessed from version numbers.
#pragma once

#include <string>
#include <vector>

namespace ebbtide {

struct Feature {
  std::string name;  // "BTF", "ring buffer", …
  bool on = false;
  std::string detail;  // what it gives, or why it is missing
  std::string remedy;  // the command that mends it, "" when on or when nothing does
};

// What the base tier stands on: rights, BTF, the ring buffer (5.8), tp_btf programs (5.5).
std::vector<Feature> probe_base_features();

// iter/task_vma came with commit 3a7b35b899de (5.12).
bool kernel_has_vma_iterator();

// bpf_for_each_map_elem came with commit 69c087ba6225 (5.13).
bool kernel_walks_maps();

// How busy the event loop is: tp_btf/sched_switch and bpf_task_pt_regs, which came with commit
// dd6e10fbd9fb (5.15).
Feature probe_event_loop();

// What the target waits for: tp_btf/tcp_probe and the kernel's note of when bytes were sent.
Feature probe_upstream();

// Uprobes by perf_event_open, for the GC probes.
Feature probe_uprobes();

// May this caller read another process' memory and fds (/proc/PID, ptrace)?
Feature probe_process_access(int pid);

}  // namespace ebbtide
