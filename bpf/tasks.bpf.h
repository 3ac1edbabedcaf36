// Answers: which threads and children do the traced processes start, and which of them end?
#ifndef EBBTIDE_BPF_TASKS_H
#define EBBTIDE_BPF_TASKS_H

#include "loops.bpf.h"
#include "state.bpf.h"

struct {
  __uint(type, BPF_MAP_TYPE_HASH);
  __uint(max_entries, 16384);
  __type(key, __u32);
  __type(value, __u8);
} children SEC(".maps");

static __always_inline void task_event(struct task_struct* task, __u32 operation) {
  struct ebb_task_event* event = RESERVE(EBB_EVENT_TASK, ebb_task_event);
  if (!event) return;
  event->operation = operation;
  event->task_tid = task->pid;
  event->task_tgid = task->tgid;
  event->exit_code = task->exit_code;
  bpf_core_read_str(event->comm, sizeof(event->comm), &task->comm);
  submit_record(event);
}

static __always_inline void on_fork(struct task_struct* parent, struct task_struct* child) {
  if (!is_target(parent->tgid)) return;
  if (child->tgid == parent->tgid) {
    task_event(child, EBB_TASK_THREAD);
    return;
  }
  __u32 tgid = child->tgid;
  __u8 known = 1;
  if (bpf_map_update_elem(&children, &tgid, &known, BPF_ANY)) COUNT(lost_tasks);
  task_event(child, EBB_TASK_CHILD);
}

static __always_inline void on_exit(struct task_struct* task) {
  __u32 tgid = task->tgid;
  if (is_target(tgid)) {
    if (follow_loops) end_loop(task->pid);
    task_event(task, EBB_TASK_THREAD_EXIT);
  } else if (task->pid == task->tgid && bpf_map_lookup_elem(&children, &tgid)) {
    DELETE_COUNTED(&children, &tgid);
    task_event(task, EBB_TASK_CHILD_EXIT);
  }
}

static __always_inline void on_exec(struct task_struct* task) {
  if (is_target(task->tgid)) task_event(task, EBB_TASK_EXEC);
}

#endif
