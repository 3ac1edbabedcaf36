// Answers: which fds and mappings does one process have right now? Iterators, read at settle
// points.
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
  struct ebb_socket socket = {.state = state, .changed_ns = bpf_ktime_get_ns()};
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

static __always_inline void census_vma(struct bpf_iter__task_vma* ctx) {
  const struct vm_area_struct* vma = ctx->vma;
  if (!vma || !is_looked_at(ctx->task)) return;
  struct ebb_vma_record record = {.start = vma->vm_start, .end = vma->vm_end};
  bpf_seq_write(ctx->meta->seq, &record, sizeof(record));
}

#endif
