// The programs: one-line adapters from attach points to the headers beside this file.
#include "event.h"
#include "types.bpf.h"

#include "arch.bpf.h"
#include "census.bpf.h"
#include "faults.bpf.h"
#include "gc.bpf.h"
#include "loops.bpf.h"
#include "mappings.bpf.h"
#include "sockets.bpf.h"
#include "tasks.bpf.h"
#include "upstream.bpf.h"

char LICENSE[] SEC("license") = "Dual MIT/GPL";

SEC("tp_btf/inet_sock_set_state")
int BPF_PROG(socket_state, const struct sock* sk, int old_state, int new_state) {
  on_socket_state(sk, old_state, new_state);
  return 0;
}

SEC("tp_btf/sys_exit")
int BPF_PROG(syscall_exit, struct pt_regs* regs, long result) {
  on_syscall_exit(ctx, regs, result);
  return 0;
}

SEC("tp_btf/sched_process_fork")
int BPF_PROG(task_fork, struct task_struct* parent, struct task_struct* child) {
  on_fork(parent, child);
  return 0;
}

SEC("tp_btf/sched_process_exit")
int BPF_PROG(task_exit, struct task_struct* task) {
  on_exit(task);
  return 0;
}

SEC("tp_btf/sched_process_exec")
int BPF_PROG(task_exec, struct task_struct* task) {
  on_exec(task);
  return 0;
}

SEC("tp_btf/sched_switch")
int BPF_PROG(task_switch, bool preempted, struct task_struct* from) {
  on_sleep(preempted, from);
  return 0;
}

SEC("tp_btf/tcp_probe")
int BPF_PROG(tcp_segment, const struct sock* sk, const struct sk_buff* skb) {
  on_segment(sk, skb);
  return 0;
}

SEC("tp_btf/page_fault_user")
int BPF_PROG(page_fault) {
  on_page_fault(ctx);
  return 0;
}

SEC("uprobe")
int gc_begin(struct pt_regs* regs) {
  on_gc_begin();
  return 0;
}

SEC("uprobe")
int gc_end(struct pt_regs* regs) {
  on_gc_end(EBB_CALL_ARGUMENT_2(regs));  // Heap::GarbageCollectionEpilogue(this, collector)
  return 0;
}

SEC("uretprobe")
int gc_used(struct pt_regs* regs) {
  on_gc_used(EBB_CALL_RESULT(regs));
  return 0;
}

SEC("uretprobe")
int gc_committed(struct pt_regs* regs) {
  on_gc_committed(EBB_CALL_RESULT(regs));
  return 0;
}

SEC("iter/task_file")
int census_fds(struct bpf_iter__task_file* ctx) {
  census_fd(ctx);
  return 0;
}

SEC("raw_tp")  // attached to nothing: run by BPF_PROG_TEST_RUN
int census_queues(void* ctx) {
  sum_socket_queues();
  return 0;
}

SEC("iter/task_vma")
int census_vmas(struct bpf_iter__task_vma* ctx) {
  census_vma(ctx);
  return 0;
}
