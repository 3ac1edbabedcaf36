// The configuration, the words shared with user space, and the one place where a record can be
// dropped.
#ifndef EBBTIDE_BPF_STATE_H
#define EBBTIDE_BPF_STATE_H

#include "event.h"
#include "types.bpf.h"

// Set before load.
const volatile __u32 target_tgid = 0;  // the one process of the target; 0: those in `targets`
const volatile bool follow_fd_events = false;
const volatile bool follow_loops = false;
const volatile __u32 fault_period = 16;              // sample 1 page fault in so many
const volatile __u32 fault_stacks_per_second = 500;  // budget; samples beyond it are counted lost

// Written by the experiment through shared memory while the programs run.
__u32 epoch = 0;

// Read by user space through shared memory.
struct ebb_counters counters = {};
__u32 live_accepted[EBB_CYCLE_SLOTS] = {};  // accepted sockets not at TCP_CLOSE, by birth cycle

struct {
  __uint(type, BPF_MAP_TYPE_RINGBUF);
  __uint(max_entries, 4 << 20);
} ring SEC(".maps");

struct {
  __uint(type, BPF_MAP_TYPE_HASH);
  __uint(max_entries, EBB_MAX_PROCESSES);
  __type(key, __u32);
  __type(value, __u8);
} targets SEC(".maps");

#define COUNT(field) __sync_fetch_and_add(&counters.field, 1)

static __always_inline __u32 cycle_slot(__u32 birth_epoch) {
  return (birth_epoch >> EBB_PHASE_BITS) & (EBB_CYCLE_SLOTS - 1);
}

static __always_inline __u32 current_tgid(void) { return bpf_get_current_pid_tgid() >> 32; }

// With one process a single compare: the verifier knows target_tgid and drops the other branch.
static __always_inline bool is_target(__u32 tgid) {
  if (target_tgid) return tgid == target_tgid;
  return bpf_map_lookup_elem(&targets, &tgid);
}

static __always_inline bool current_is_target(void) { return is_target(current_tgid()); }

// Room for one record with its header filled, or 0 and the loss is counted.
static __always_inline void* reserve_record(__u32 type, __u64 size) {
  struct ebb_header* header = bpf_ringbuf_reserve(&ring, size, 0);
  if (!header) {
    COUNT(lost_records);
    return 0;
  }
  header->ts_ns = bpf_ktime_get_ns();
  header->type = type;
  header->epoch = epoch;
  header->tid = (__u32)bpf_get_current_pid_tgid();
  header->tgid = current_tgid();
  return header;
}

#define RESERVE(event_type, struct_type) \
  ((struct struct_type*)reserve_record(event_type, sizeof(struct struct_type)))

// `map` and `key` as bpf_map_delete_elem takes them; the entry is known to be there.
#define DELETE_COUNTED(map, key)                            \
  do {                                                      \
    if (bpf_map_delete_elem(map, key)) COUNT(lost_deletes); \
  } while (0)

// User space polls on a timer: a wake-up per record would cost the target 15 %.
static __always_inline void submit_record(void* record) {
  bpf_ringbuf_submit(record, BPF_RB_NO_WAKEUP);
}

#endif
