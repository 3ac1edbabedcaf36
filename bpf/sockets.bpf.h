// Answers: which TCP sockets are the target's, and what is each one's life? State changes run in
// softirq under anyone's pid, so ownership is never the current task: an accepted socket is known
// by the port the target listens on, an outgoing one by the task that calls connect().
#ifndef EBBTIDE_BPF_SOCKETS_H
#define EBBTIDE_BPF_SOCKETS_H

#include "state.bpf.h"

struct {
  __uint(type, BPF_MAP_TYPE_HASH);
  __uint(max_entries, 256);
  __type(key, struct ebb_listen_key);
  __type(value, struct ebb_listen_value);
} listeners SEC(".maps");

// Live sockets by kernel address.
struct {
  __uint(type, BPF_MAP_TYPE_HASH);
  __uint(max_entries, 65536);
  __type(key, __u64);
  __type(value, struct ebb_socket);
} sockets SEC(".maps");

__u64 last_socket_id = 0;

static __always_inline void map_ipv4(__u8* to, __be32 address) {
  __u32* words = (__u32*)to;
  words[0] = 0;
  words[1] = 0;
  words[2] = bpf_htonl(0xffff);
  words[3] = address;
}

// Reads through BPF_CORE_READ, so that it serves the census too, where the verifier does not know
// the pointer for a sock.
static __always_inline void fill_endpoints(struct ebb_socket* socket, const struct sock* sk) {
  if (BPF_CORE_READ(sk, __sk_common.skc_family) == AF_INET6) {
    bpf_core_read(socket->local_address, EBB_ADDRESS_BYTES, &sk->__sk_common.skc_v6_rcv_saddr);
    bpf_core_read(socket->remote_address, EBB_ADDRESS_BYTES, &sk->__sk_common.skc_v6_daddr);
  } else {
    map_ipv4(socket->local_address, BPF_CORE_READ(sk, __sk_common.skc_rcv_saddr));
    map_ipv4(socket->remote_address, BPF_CORE_READ(sk, __sk_common.skc_daddr));
  }
  socket->local_port = BPF_CORE_READ(sk, __sk_common.skc_num);
  socket->remote_port = bpf_ntohs(BPF_CORE_READ(sk, __sk_common.skc_dport));
}

static __always_inline __u32 next_to_send(const struct sock* sk) {
  return BPF_CORE_READ((const struct tcp_sock*)sk, snd_nxt);
}

static __always_inline bool same_address(const __u8* a, const __u8* b) {
  const __u64 *x = (const __u64*)a, *y = (const __u64*)b;
  return x[0] == y[0] && x[1] == y[1];
}

// Does the target listen where this socket's local end is?
static __always_inline bool target_listens(const struct sock* sk, const struct ebb_socket* socket) {
  struct ebb_listen_key key = {.netns = BPF_CORE_READ(sk, __sk_common.skc_net.net, ns.inum),
                               .port = socket->local_port};
  struct ebb_listen_value* listener = bpf_map_lookup_elem(&listeners, &key);
  if (!listener) return false;
  return listener->any_address || same_address(listener->address, socket->local_address);
}

static __always_inline void follow_socket(__u64 address, struct ebb_socket* socket,
                                          __u8 direction) {
  socket->id = __sync_fetch_and_add(&last_socket_id, 1) + 1;
  socket->direction = direction;
  // BPF_NOEXIST would keep a stale entry when an end was missed; the newer socket is the truth.
  if (bpf_map_update_elem(&sockets, &address, socket, BPF_ANY)) {
    COUNT(lost_sockets);
    return;
  }
  COUNT(sockets_born);
  if (direction == EBB_ACCEPTED)
    __sync_fetch_and_add(&live_accepted[cycle_slot(socket->birth_epoch)], 1);
}

static __always_inline __u8 who_closed(const struct sock* sk, int new_state) {
  if (new_state == TCP_FIN_WAIT1) return EBB_CLOSED_TARGET;
  if (new_state == TCP_CLOSE_WAIT) return EBB_CLOSED_PEER;
  if (new_state == TCP_CLOSE) return sk->sk_err ? EBB_CLOSED_PEER : EBB_CLOSED_TARGET;  // a reset
  return EBB_CLOSED_NOBODY;
}

static __always_inline void end_socket(__u64 address, struct ebb_socket* socket) {
  struct ebb_socket_event* event = RESERVE(EBB_EVENT_SOCKET_END, ebb_socket_event);
  if (event) {
    event->socket = *socket;
    submit_record(event);
  }
  if (socket->direction == EBB_ACCEPTED)
    __sync_fetch_and_sub(&live_accepted[cycle_slot(socket->birth_epoch)], 1);
  DELETE_COUNTED(&sockets, &address);
  COUNT(sockets_ended);
}

static __always_inline void begin_socket(const struct sock* sk, int old_state, int new_state) {
  bool accepted = old_state == TCP_SYN_RECV && new_state == TCP_ESTABLISHED;
  bool outgoing = new_state == TCP_SYN_SENT && current_is_target();
  if (!accepted && !outgoing) return;
  struct ebb_socket socket = {};
  fill_endpoints(&socket, sk);
  if (accepted && !target_listens(sk, &socket)) return;
  socket.born_ns = socket.changed_ns = bpf_ktime_get_ns();
  socket.established_ns = accepted ? socket.born_ns : 0;
  socket.birth_epoch = epoch;
  socket.state = new_state;
  follow_socket((__u64)sk, &socket, accepted ? EBB_ACCEPTED : EBB_OUTGOING);
}

static __always_inline void enter_state(struct ebb_socket* socket, int state) {
  __u64 now_ns = bpf_ktime_get_ns();
  if (socket->state < EBB_TCP_STATES)
    socket->ns_in_state[socket->state] += now_ns - socket->changed_ns;
  socket->changed_ns = now_ns;
  socket->state = state;
}

// Is this another socket at the address of one that is not in the map for any good reason: its end
// was missed, so that it stands in another state than the one left here, or it stayed after its
// end?
static __always_inline bool is_newborn(const struct ebb_socket* known, int old_state,
                                       int new_state) {
  bool birth =
      new_state == TCP_SYN_SENT || (old_state == TCP_SYN_RECV && new_state == TCP_ESTABLISHED);
  return birth && (known->state != old_state || known->state == TCP_CLOSE);
}

static __always_inline void on_socket_state(const struct sock* sk, int old_state, int new_state) {
  __u64 address = (__u64)sk;
  struct ebb_socket* socket = bpf_map_lookup_elem(&sockets, &address);
  if (socket && is_newborn(socket, old_state, new_state)) {
    if (socket->state != TCP_CLOSE) {
      COUNT(lost_ends);
      enter_state(socket, TCP_CLOSE);
      end_socket(address, socket);
    }
    socket = 0;
  }
  if (!socket) {
    begin_socket(sk, old_state, new_state);
    return;
  }
  enter_state(socket, new_state);
  if (new_state == TCP_ESTABLISHED) {
    socket->established_ns = socket->changed_ns;
    socket->answered_seq = next_to_send(sk);
    fill_endpoints(socket, sk);  // connect() picked the local port after SYN_SENT was set
  }
  if (socket->closed_first == EBB_CLOSED_NOBODY && old_state == TCP_ESTABLISHED)
    socket->closed_first = who_closed(sk, new_state);
  if (new_state == TCP_CLOSE) end_socket(address, socket);
}

#endif
