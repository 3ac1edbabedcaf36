// Answers: how long does an event loop work between two waits for events? A turn begins when
// epoll_wait returns and ends when the thread next goes to sleep in it, which the scheduler tells:
// a program at the entry of every system call of every process would cost the machine more than one
// at every sleep. An epoll_wait that does not sleep waits for nothing and ends the turn as it
// returns.
#ifndef EBBTIDE_BPF_LOOPS_H
#define EBBTIDE_BPF_LOOPS_H

#include "arch.bpf.h"
#include "state.bpf.h"

// By tid. Only the thread itself writes its entry.
struct {
  __uint(type, BPF_MAP_TYPE_HASH);
  __uint(max_entries, 4096);
  __type(key, __u32);
  __type(value, struct ebb_loop);
} loops SEC(".maps");

static __always_inline bool waits_for_events(unsigned long number) {
#ifdef SYS_EPOLL_WAIT
  if (number == SYS_EPOLL_WAIT) return true;
#endif
  return number == SYS_EPOLL_PWAIT || number == SYS_EPOLL_PWAIT2;
}

// What the scheduler says of a thread, from its beginning on.
struct thread_time {
  __u64 cpu_ns;
  __u64 delayed_ns;
};

static __always_inline struct thread_time current_time(void) {
  struct task_struct* task = (struct task_struct*)bpf_get_current_task();
  struct thread_time time = {.cpu_ns = BPF_CORE_READ(task, se.sum_exec_runtime)};
  if (bpf_core_field_exists(task->sched_info.run_delay))
    time.delayed_ns = BPF_CORE_READ(task, sched_info.run_delay);
  return time;
}

// Nothing for a thread that was found waiting: it did nothing until then.
static __always_inline struct thread_time in_round(const struct ebb_loop* loop,
                                                   struct thread_time now) {
  if (!loop->cpu_start_ns) return (struct thread_time){};
  return (struct thread_time){.cpu_ns = now.cpu_ns - loop->cpu_start_ns,
                              .delayed_ns = now.delayed_ns - loop->delayed_start_ns};
}

static __always_inline void send_loop(const struct ebb_loop* loop, struct thread_time now) {
  struct ebb_loop_event* event = RESERVE(EBB_EVENT_LOOP, ebb_loop_event);
  if (!event) return;
  event->loop = *loop;
  struct thread_time spent = in_round(loop, now);
  event->cpu_ns = spent.cpu_ns;
  event->delayed_ns = spent.delayed_ns;
  submit_record(event);
}

static __always_inline void send_stall(const struct ebb_loop* loop, __u64 duration_ns) {
  struct ebb_stall_event* event = RESERVE(EBB_EVENT_STALL, ebb_stall_event);
  if (!event) return;
  event->header.epoch = loop->epoch;  // in which it began
  event->start_ns = loop->turn_start_ns;
  event->duration_ns = duration_ns;
  submit_record(event);
}

static __always_inline void add_turn(struct ebb_loop* loop, __u64 turn_ns, __u64 waited_ns) {
  loop->turns += turn_ns > 0;  // one that was found waiting has had none yet
  loop->busy_ns += turn_ns;
  loop->waiting_ns += waited_ns;
  if (turn_ns <= loop->longest_ns) return;
  loop->longest_ns = turn_ns;
  loop->longest_start_ns = loop->turn_start_ns;
}

// The current thread has come back from its wait.
static __always_inline void on_loop_return(void) {
  __u32 tid = (__u32)bpf_get_current_pid_tgid();
  __u64 now_ns = bpf_ktime_get_ns();
  __u32 current_epoch = epoch;
  struct thread_time now = current_time();
  struct ebb_loop* loop = bpf_map_lookup_elem(&loops, &tid);
  if (!loop) {
    struct ebb_loop first = {.turn_start_ns = now_ns,
                             .cpu_start_ns = now.cpu_ns,
                             .delayed_start_ns = now.delayed_ns,
                             .epoch = current_epoch,
                             .tgid = current_tgid()};
    if (bpf_map_update_elem(&loops, &tid, &first, BPF_ANY)) COUNT(lost_loops);
    return;
  }
  __u64 turn_end_ns = loop->wait_start_ns ? loop->wait_start_ns : now_ns;
  __u64 turn_ns = turn_end_ns - loop->turn_start_ns;
  if (turn_ns >= EBB_STALL_NS) send_stall(loop, turn_ns);
  if (loop->epoch == current_epoch) {
    add_turn(loop, turn_ns, now_ns - turn_end_ns);
    struct thread_time spent = in_round(loop, now);
    loop->cpu_ns += spent.cpu_ns;
    loop->delayed_ns += spent.delayed_ns;
  } else {
    send_loop(loop, now);  // user space divides this round among the phases
    loop->turns = loop->busy_ns = loop->waiting_ns = 0;
    loop->longest_ns = loop->longest_start_ns = 0;
    loop->cpu_ns = loop->delayed_ns = 0;
    loop->epoch = current_epoch;
  }
  loop->cpu_start_ns = now.cpu_ns;
  loop->delayed_start_ns = now.delayed_ns;
  loop->turn_start_ns = now_ns;
  loop->wait_start_ns = 0;
}

static __always_inline void on_sleep(bool preempted, struct task_struct* task) {
  if (preempted || !is_target(task->tgid)) return;
  struct pt_regs* regs = (struct pt_regs*)bpf_task_pt_regs(task);
  if (!waits_for_events(EBB_SYSCALL_NUMBER(regs))) return;
  __u32 tid = task->pid;
  struct ebb_loop* loop = bpf_map_lookup_elem(&loops, &tid);
  if (loop && !loop->wait_start_ns) loop->wait_start_ns = bpf_ktime_get_ns();
}

static __always_inline void end_loop(__u32 tid) {
  struct ebb_loop* loop = bpf_map_lookup_elem(&loops, &tid);
  if (!loop) return;
  send_loop(loop, current_time());
  DELETE_COUNTED(&loops, &tid);
}

#endif
