// The few kernel types the programs touch, cut by hand. CO-RE moves every access to where the
// running kernel keeps the field, so only names and types matter here, never order or size.
#ifndef EBBTIDE_BPF_TYPES_H
#define EBBTIDE_BPF_TYPES_H

#include <linux/bpf.h>
#include <linux/types.h>
#include <stdbool.h>

#pragma clang attribute push(__attribute__((preserve_access_index)), apply_to = record)

struct sched_entity {
  __u64 sum_exec_runtime;
};
struct sched_info {
  unsigned long long run_delay;
};
struct task_struct {
  int pid;
  int tgid;
  int exit_code;
  char comm[16];
  struct sched_entity se;
  struct sched_info sched_info;  // not in kernels without CONFIG_SCHED_INFO
};

struct ns_common {
  unsigned int inum;
};
struct net {
  struct ns_common ns;
};
typedef struct {
  struct net* net;
} possible_net_t;

struct in6_addr {
  union {
    __u32 u6_addr32[4];
  } in6_u;
};

struct sock_common {
  __be32 skc_daddr;
  __be32 skc_rcv_saddr;
  __be16 skc_dport;
  __u16 skc_num;
  unsigned short skc_family;
  volatile unsigned char skc_state;
  possible_net_t skc_net;
  struct in6_addr skc_v6_daddr;
  struct in6_addr skc_v6_rcv_saddr;
};
typedef struct {
  int counter;
} atomic_t;
struct sock {
  struct sock_common __sk_common;
  struct {
    atomic_t rmem_alloc;
  } sk_backlog;
  int sk_forward_alloc;
  int sk_wmem_queued;
  int sk_err;
  __u16 sk_protocol;
};
struct socket {
  struct sock* sk;
};

struct tcp_sock {
  __u32 write_seq;
  __u32 snd_nxt;
  __u32 snd_una;
  __u64 first_tx_mstamp;  // microseconds
};
struct sk_buff {
  unsigned int len;
  unsigned char* data;
};

struct inode {
  unsigned short i_mode;
  unsigned long i_ino;
};
struct file {
  struct inode* f_inode;
  void* private_data;
};

struct vm_area_struct {
  unsigned long vm_start;
  unsigned long vm_end;
};

struct bpf_map;
struct seq_file;
struct bpf_iter_meta {
  struct seq_file* seq;
};
struct bpf_iter__task_file {
  struct bpf_iter_meta* meta;
  struct task_struct* task;
  __u32 fd;
  struct file* file;
};
struct bpf_iter__task_vma {
  struct bpf_iter_meta* meta;
  struct task_struct* task;
  struct vm_area_struct* vma;
};

#if defined(__TARGET_ARCH_x86)
struct pt_regs {
  unsigned long di, si, dx, r10, r8, r9;
  unsigned long ax, orig_ax, ip, sp, bp;
};
#elif defined(__TARGET_ARCH_arm64)
struct user_pt_regs {
  __u64 regs[31];
  __u64 sp, pc, pstate;
};
struct pt_regs {
  __u64 regs[31];
  __u64 sp, pc, pstate;
  __u64 orig_x0;
  __s32 syscallno;
};
#endif

#pragma clang attribute pop

#include <bpf/bpf_core_read.h>
#include <bpf/bpf_endian.h>
#include <bpf/bpf_helpers.h>
#include <bpf/bpf_tracing.h>

#define TCP_HEADER_WORDS_AT 12  // the byte of a TCP header whose upper half is its length in words

#define AF_INET 2
#define AF_INET6 10

enum {
  TCP_ESTABLISHED = 1,
  TCP_SYN_SENT,
  TCP_SYN_RECV,
  TCP_FIN_WAIT1,
  TCP_FIN_WAIT2,
  TCP_TIME_WAIT,
  TCP_CLOSE,
  TCP_CLOSE_WAIT,
  TCP_LAST_ACK,
  TCP_LISTEN,
  TCP_CLOSING,
  TCP_NEW_SYN_RECV,
};

#endif
