// Answers: how long does the target wait for those it asks? On each outgoing connection, from the
// last bytes sent to the first bytes that come back; what comes after those belongs to the same
// answer until the target has sent again.
//
// When it was sent is the kernel's own note: of the first bytes in flight or, once some of them are
// acknowledged, of the bytes acknowledged last. For a question that fits in one segment both are
// its own time. Where questions overlap (a Redis pipeline) the note is that of an early one, and
// all that are answered together count once. Handshakes of TLS count as answers.
#ifndef EBBTIDE_BPF_UPSTREAM_H
#define EBBTIDE_BPF_UPSTREAM_H

#include "sockets.bpf.h"

struct {
  __uint(type, BPF_MAP_TYPE_HASH);
  __uint(max_entries, 4096);
  __type(key, struct ebb_upstream_key);
  __type(value, struct ebb_upstream_wait);
} upstream_waits SEC(".maps");

static __always_inline void raise_to(__u64* longest, __u64 value) {
  for (int attempt = 0; attempt < 8; attempt++) {  // other CPUs may raise it too
    __u64 seen = *(volatile __u64*)longest;
    if (value <= seen || __sync_val_compare_and_swap(longest, seen, value) == seen) return;
  }
}

static __always_inline void add_answer(const struct ebb_socket* socket, __u64 waited_ns) {
  struct ebb_upstream_key key = {.port = socket->remote_port, .epoch = epoch};
  __builtin_memcpy(key.address, socket->remote_address, EBB_ADDRESS_BYTES);
  struct ebb_upstream_wait* known = bpf_map_lookup_elem(&upstream_waits, &key);
  if (!known) {
    struct ebb_upstream_wait none = {};
    bpf_map_update_elem(&upstream_waits, &key, &none, BPF_NOEXIST);  // or another CPU did
    known = bpf_map_lookup_elem(&upstream_waits, &key);
  }
  if (!known) {
    COUNT(lost_answers);
    return;
  }
  __sync_fetch_and_add(&known->answers, 1);
  __sync_fetch_and_add(&known->total_ns, waited_ns);
  raise_to(&known->longest_ns, waited_ns);
}

static __always_inline __u32 payload_bytes(const struct sk_buff* skb) {
  __u8 header_words = 0;
  bpf_probe_read_kernel(&header_words, 1, skb->data + TCP_HEADER_WORDS_AT);
  return skb->len - (header_words >> 4) * 4;
}

// A segment has come for an established socket of whoever.
static __always_inline void on_segment(const struct sock* sk, const struct sk_buff* skb) {
  if (!payload_bytes(skb)) return;
  __u64 address = (__u64)sk;
  struct ebb_socket* socket = bpf_map_lookup_elem(&sockets, &address);
  if (!socket || socket->direction != EBB_OUTGOING) return;
  __u32 sent_seq = next_to_send(sk);
  if (sent_seq == socket->answered_seq) return;
  socket->answered_seq = sent_seq;
  __u64 sent_ns = BPF_CORE_READ((const struct tcp_sock*)sk, first_tx_mstamp) * 1000;
  __u64 now_ns = bpf_ktime_get_ns();
  add_answer(socket, now_ns > sent_ns ? now_ns - sent_ns : 0);
}

#endif
