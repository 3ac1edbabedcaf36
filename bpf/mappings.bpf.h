// Answers: which address ranges did the target map and unmap? Taken at the exit of the system call,
// where both the arguments and the result are known; user space rebuilds the mappings.
#ifndef EBBTIDE_BPF_MAPPINGS_H
#define EBBTIDE_BPF_MAPPINGS_H

#include "arch.bpf.h"
#include "loops.bpf.h"
#include "stacks.bpf.h"

static __always_inline struct ebb_mapping_event* mapping_event(__u32 operation) {
  COUNT(mapping_operations);
  struct ebb_mapping_event* event = RESERVE(EBB_EVENT_MAPPING, ebb_mapping_event);
  if (!event) return 0;
  event->operation = operation;
  event->new_address = event->new_length = event->stack_id = 0;
  event->protection = event->flags = 0;
  return event;
}

static __always_inline void on_mmap(void* ctx, struct pt_regs* regs, long result) {
  __u64 stack_id = user_stack_id(ctx, leaf_return_address(regs));
  struct ebb_mapping_event* event = mapping_event(EBB_MMAP);
  if (!event) return;
  event->address = result;
  event->length = EBB_ARGUMENT_2(regs);
  event->protection = EBB_ARGUMENT_3(regs);
  event->flags = EBB_ARGUMENT_4(regs);
  event->stack_id = stack_id;
  submit_record(event);
}

static __always_inline void on_munmap(struct pt_regs* regs) {
  struct ebb_mapping_event* event = mapping_event(EBB_MUNMAP);
  if (!event) return;
  event->address = EBB_ARGUMENT_1(regs);
  event->length = EBB_ARGUMENT_2(regs);
  submit_record(event);
}

static __always_inline void on_mremap(void* ctx, struct pt_regs* regs, long result) {
  __u64 stack_id = user_stack_id(ctx, 0);  // libc's mremap has a frame of unknown size
  struct ebb_mapping_event* event = mapping_event(EBB_MREMAP);
  if (!event) return;
  event->address = EBB_ARGUMENT_1(regs);
  event->length = EBB_ARGUMENT_2(regs);
  event->new_address = result;
  event->new_length = EBB_ARGUMENT_3(regs);
  event->flags = EBB_ARGUMENT_4(regs);
  event->stack_id = stack_id;
  submit_record(event);
}

static __always_inline void on_brk(void* ctx, struct pt_regs* regs, long result) {
  __u64 stack_id = user_stack_id(ctx, leaf_return_address(regs));
  struct ebb_mapping_event* event = mapping_event(EBB_BRK);
  if (!event) return;
  event->address = result;
  event->length = 0;
  event->stack_id = stack_id;
  submit_record(event);
}

static __always_inline void fd_event(__u32 operation, int fd) {
  struct ebb_fd_event* event = RESERVE(EBB_EVENT_FD, ebb_fd_event);
  if (!event) return;
  event->operation = operation;
  event->fd = fd;
  submit_record(event);
}

static __always_inline void on_fd_syscall(unsigned long number, struct pt_regs* regs, long result) {
  if (number == SYS_ACCEPT4 || number == SYS_ACCEPT)
    fd_event(EBB_FD_ACCEPT, result);
  else if (number == SYS_CLOSE)
    fd_event(EBB_FD_CLOSE, EBB_ARGUMENT_1(regs));
  else if (number == SYS_SHUTDOWN)
    fd_event(EBB_FD_SHUTDOWN, EBB_ARGUMENT_1(regs));
}

// Runs at the end of every system call of every process: the number is looked at first, since
// almost all end there.
static __always_inline void on_syscall_exit(void* ctx, struct pt_regs* regs, long result) {
  unsigned long number = EBB_SYSCALL_NUMBER(regs);
  if (follow_loops && waits_for_events(number)) {
    if (current_is_target()) on_loop_return();
    return;
  }
  bool mapping =
      number == SYS_MMAP || number == SYS_MUNMAP || number == SYS_MREMAP || number == SYS_BRK;
  if (!mapping && !follow_fd_events) return;
  if (!current_is_target() || syscall_failed(result)) return;
  if (number == SYS_MMAP)
    on_mmap(ctx, regs, result);
  else if (number == SYS_MUNMAP)
    on_munmap(regs);
  else if (number == SYS_MREMAP)
    on_mremap(ctx, regs, result);
  else if (number == SYS_BRK)
    on_brk(ctx, regs, result);
  else
    on_fd_syscall(number, regs, result);
}

#endif
