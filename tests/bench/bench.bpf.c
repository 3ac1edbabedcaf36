// Programs of the benchmarks: a flood of records, made by the code that makes the real ones, and a
// program on sys_exit that does nothing.
#include "mappings.bpf.h"

char LICENSE[] SEC("license") = "Dual MIT/GPL";

#define BATCH_MAX 1024
#define ADDRESSES 64  // so that the pump's interval map stays small, as a real target's does
#define PAGE 4096

// Written by the benchmark between runs.
__u32 batch = 0;
__u32 flooded_tgid = 0;  // whose mappings they are said to be

// Run by BPF_PROG_TEST_RUN; `ring` is the tracer's own.
SEC("raw_tp")
int flood(void *ctx) {
  for (__u32 i = 0; i < BATCH_MAX; i++) {
    if (i >= batch) break;
    struct ebb_mapping_event *event = mapping_event(EBB_MMAP);
    if (!event) continue;
    event->header.tgid = flooded_tgid;
    event->address = (1 + i % ADDRESSES) * 2 * PAGE;
    event->length = PAGE;
    submit_record(event);
  }
  return 0;
}

SEC("tp_btf/sys_exit")
int BPF_PROG(no_work) {
  return 0;
}
