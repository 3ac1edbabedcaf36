// Answers: which fds and mappings does one process have right now, and how much do its connections
// have in their queues? Run when user space
// asks.
#ifndef EBBTIDE_BPF_CENSUS_H
#define EBBTIDE_BPF_CENSUS_H

#include "sockets.bpf.h"

#define S_IFMT 0170000
#define S_IFSOCK 0140000
#define IPPROTO_TCP 6

__u32 census_tgid = 0;  // the process that is looked at

// 1 while the census also takes up the sockets that were there before the tracer.
__u32 adopt_sockets = 0;

// The leader shares its fd table and memory with all its threads.
static __always_inline bool is_looked_at(const struct task_struct* task) {
  return task && (__u32)task->tgid == census_tgid && task->pid == task->tgid;
}

static __always_inline void adopt_socket(const struct sock* sk, __u8 state) {
  if (state == TCP_LISTEN || state == TCP_CLOSE) return;
  struct ebb_socket socket = {
      .state = state, .changed_ns = bpf_ktime_get_ns(), .answered_seq = next_to_send(sk)};
  fill_endpoints(&socket, sk);
  follow_socket((__u64)sk, &socket, target_listens(sk, &socket) ? EBB_ACCEPTED : EBB_OUTGOING);
}

static __always_inline void describe_socket(struct ebb_fd_record* record, const struct file* file) {
  const struct socket* socket = file->private_data;
  const struct sock* sk = BPF_CORE_READ(socket, sk);
  record->family = BPF_CORE_READ(sk, __sk_common.skc_family);
  record->protocol = BPF_CORE_READ(sk, sk_protocol);
  bool inet = record->family == AF_INET || record->family == AF_INET6;
  if (!inet || record->protocol != IPPROTO_TCP) return;
  record->state = BPF_CORE_READ(sk, __sk_common.skc_state);
  __u64 address = (__u64)sk;
  struct ebb_socket* known = bpf_map_lookup_elem(&sockets, &address);
  if (!known && adopt_sockets) {
    adopt_socket(sk, record->state);
    known = bpf_map_lookup_elem(&sockets, &address);
  }
  if (known) record->socket_id = known->id;
}

static __always_inline void census_fd(struct bpf_iter__task_file* ctx) {
  const struct file* file = ctx->file;
  if (!file || !is_looked_at(ctx->task)) return;
  struct ebb_fd_record record = {.file = (__u64)file,
                                 .inode = file->f_inode->i_ino,
                                 .fd = ctx->fd,
                                 .mode = file->f_inode->i_mode & S_IFMT};
  if (record.mode == S_IFSOCK) describe_socket(&record, file);
  bpf_seq_write(ctx->meta->seq, &record, sizeof(record));
}

struct ebb_socket_queues socket_queues = {};

static long add_queues(struct bpf_map* map, const __u64* address, struct ebb_socket* known,
                       void* context) {
  if (known->direction != EBB_ACCEPTED) return 0;
  const struct sock* sk = (const struct sock*)*address;
  const struct tcp_sock* tcp = (const struct tcp_sock*)*address;
  // An entry whose end was missed leads to whatever is at that address now.
  if (known->state == TCP_CLOSE || BPF_CORE_READ(sk, __sk_common.skc_state) != known->state ||
      BPF_CORE_READ(sk, __sk_common.skc_num) != known->local_port ||
      BPF_CORE_READ(sk, __sk_common.skc_dport) != bpf_htons(known->remote_port))
    return 0;
  socket_queues.memory_bytes += BPF_CORE_READ(sk, sk_backlog.rmem_alloc.counter) +
                                BPF_CORE_READ(sk, sk_wmem_queued) +
                                BPF_CORE_READ(sk, sk_forward_alloc);
  socket_queues.send_bytes += BPF_CORE_READ(tcp, write_seq) - BPF_CORE_READ(tcp, snd_una);
  return 0;
}

// Goes by `sockets`, not by the fd table, which shows neither what waits to be accepted nor what
// was closed with bytes still to send.
static __always_inline void sum_socket_queues(void) {
  socket_queues = (struct ebb_socket_queues){};
  bpf_for_each_map_elem(&sockets, add_queues, 0, 0);
}

static __always_inline void census_vma(struct bpf_iter__task_vma* ctx) {
  const struct vm_area_struct* vma = ctx->vma;
  if (!vma || !is_looked_at(ctx->task)) return;
  struct ebb_vma_record record = {.start = vma->vm_start, .end = vma->vm_end};
  bpf_seq_write(ctx->meta->seq, &record, sizeof(record));
}

#endif
