// Answers: which system call ends here, with which arguments, and what do a probed function's
// registers hold? Everything that differs by architecture is in this file.
#ifndef EBBTIDE_BPF_ARCH_H
#define EBBTIDE_BPF_ARCH_H

#include "types.bpf.h"

#if defined(__TARGET_ARCH_x86)
enum {
  SYS_CLOSE = 3,
  SYS_MMAP = 9,
  SYS_MUNMAP = 11,
  SYS_BRK = 12,
  SYS_MREMAP = 25,
  SYS_ACCEPT = 43,
  SYS_SHUTDOWN = 48,
  SYS_EPOLL_PWAIT = 281,
  SYS_ACCEPT4 = 288,
  SYS_EPOLL_PWAIT2 = 441,
};
#define SYS_EPOLL_WAIT 232  // arm64 has none
#define EBB_SYSCALL_NUMBER(regs) ((regs)->orig_ax)
#define EBB_ARGUMENT_1(regs) ((regs)->di)
#define EBB_ARGUMENT_2(regs) ((regs)->si)
#define EBB_ARGUMENT_3(regs) ((regs)->dx)
#define EBB_ARGUMENT_4(regs) ((regs)->r10)
// Where a function without a frame of its own, such as libc's mmap and brk, returns to.
static __always_inline __u64 leaf_return_address(const struct pt_regs* regs) {
  __u64 address = 0;
  bpf_probe_read_user(&address, sizeof(address), (const void*)regs->sp);
  return address;
}
#define EBB_CALL_ARGUMENT_2(regs) ((regs)->si)
#define EBB_CALL_RESULT(regs) ((regs)->ax)
#elif defined(__TARGET_ARCH_arm64)
enum {
  SYS_EPOLL_PWAIT = 22,
  SYS_CLOSE = 57,
  SYS_ACCEPT = 202,
  SYS_SHUTDOWN = 210,
  SYS_BRK = 214,
  SYS_MUNMAP = 215,
  SYS_MREMAP = 216,
  SYS_MMAP = 222,
  SYS_ACCEPT4 = 242,
  SYS_EPOLL_PWAIT2 = 441,
};
#define EBB_SYSCALL_NUMBER(regs) ((unsigned long)(regs)->syscallno)
// The return value has replaced regs[0] by now; the first argument survives in orig_x0.
#define EBB_ARGUMENT_1(regs) ((regs)->orig_x0)
#define EBB_ARGUMENT_2(regs) ((regs)->regs[1])
#define EBB_ARGUMENT_3(regs) ((regs)->regs[2])
#define EBB_ARGUMENT_4(regs) ((regs)->regs[3])
static __always_inline __u64 leaf_return_address(const struct pt_regs* regs) {
  return regs->regs[30];
}
#define EBB_CALL_ARGUMENT_2(regs) ((regs)->regs[1])
#define EBB_CALL_RESULT(regs) ((regs)->regs[0])
#endif

// System calls return -4095 … -1 for an error, anything else is a result (also a high address).
static __always_inline bool syscall_failed(long result) {
  return (unsigned long)result >= (unsigned long)-4095L;
}

#endif
