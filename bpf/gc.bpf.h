// Answers: when did V8 collect garbage, and how large was the heap then? Four probes on functions
// that run once per collection; Heap::SizeOfObjects and Heap::CommittedMemory are also called
// elsewhere, so they count only between a collection's begin and end on the same thread.
#ifndef EBBTIDE_BPF_GC_H
#define EBBTIDE_BPF_GC_H

#include "state.bpf.h"

struct gc_in_flight {
  __u64 start_ns;
  __u64 used_bytes;
  __u64 committed_bytes;
};

struct {
  __uint(type, BPF_MAP_TYPE_HASH);
  __uint(max_entries, 256);
  __type(key, __u32);
  __type(value, struct gc_in_flight);
} gcs SEC(".maps");

static __always_inline void on_gc_begin(void) {
  __u32 tid = (__u32)bpf_get_current_pid_tgid();
  struct gc_in_flight gc = {.start_ns = bpf_ktime_get_ns()};
  if (bpf_map_update_elem(&gcs, &tid, &gc, BPF_ANY)) COUNT(lost_gc);
}

static __always_inline void on_gc_used(__u64 bytes) {
  __u32 tid = (__u32)bpf_get_current_pid_tgid();
  struct gc_in_flight* gc = bpf_map_lookup_elem(&gcs, &tid);
  if (gc) gc->used_bytes = bytes;
}

static __always_inline void on_gc_committed(__u64 bytes) {
  __u32 tid = (__u32)bpf_get_current_pid_tgid();
  struct gc_in_flight* gc = bpf_map_lookup_elem(&gcs, &tid);
  if (gc) gc->committed_bytes = bytes;
}

static __always_inline void on_gc_end(__u32 collector) {
  __u32 tid = (__u32)bpf_get_current_pid_tgid();
  struct gc_in_flight* gc = bpf_map_lookup_elem(&gcs, &tid);
  if (!gc) {
    COUNT(lost_gc);
    return;
  }
  struct ebb_gc_event* event = RESERVE(EBB_EVENT_GC, ebb_gc_event);
  if (event) {
    event->start_ns = gc->start_ns;
    event->used_bytes = gc->used_bytes;
    event->committed_bytes = gc->committed_bytes;
    event->collector = collector;
    event->padding = 0;
    submit_record(event);
  }
  DELETE_COUNTED(&gcs, &tid);
}

#endif
