// Answers: which code touches new pages? Sampled and under a stack budget: a stack on every fault
// would cost a fault-heavy target a third of its speed.
#ifndef EBBTIDE_BPF_FAULTS_H
#define EBBTIDE_BPF_FAULTS_H

#include "stacks.bpf.h"

struct {
  __uint(type, BPF_MAP_TYPE_HASH);
  __uint(max_entries, 16384);
  __type(key, struct ebb_fault_key);
  __type(value, __u64);
} faults SEC(".maps");

__u64 fault_second = 0;
__u32 fault_stacks_taken = 0;

static __always_inline bool within_budget(void) {
  __u64 second = bpf_ktime_get_ns() / 1000000000ULL;
  if (second != fault_second) {
    fault_second = second;
    fault_stacks_taken = 0;
  }
  return __sync_fetch_and_add(&fault_stacks_taken, 1) < fault_stacks_per_second;
}

static __always_inline void on_page_fault(void* ctx) {
  if (!current_is_target()) return;
  if (fault_period > 1 && bpf_get_prandom_u32() % fault_period) return;
  if (!within_budget()) {
    COUNT(lost_faults);
    return;
  }
  struct ebb_fault_key key = {
      .stack_id = user_stack_id(ctx, 0), .cycle = epoch >> EBB_PHASE_BITS, .tgid = current_tgid()};
  __u64* samples = bpf_map_lookup_elem(&faults, &key);
  if (samples) {
    __sync_fetch_and_add(samples, 1);
    return;
  }
  __u64 one = 1;
  if (bpf_map_update_elem(&faults, &key, &one, BPF_NOEXIST)) COUNT(lost_faults);
}

#endif
