// Answers: what do kernel and user space say to each other? The one wire contract: ring buffer
// records, iterator records, map values and the shared globals. Compiled by both sides.
//
// Times are CLOCK_MONOTONIC nanoseconds; addresses and lengths are bytes; IPv4 addresses travel as
// IPv4-mapped IPv6.
#ifndef EBBTIDE_BPF_EVENT_H
#define EBBTIDE_BPF_EVENT_H

#include <linux/types.h>

#ifdef __cplusplus
#define EBB_ASSERT_SIZE(type, bytes) static_assert(sizeof(type) == (bytes), #type)
#else
#define EBB_ASSERT_SIZE(type, bytes) _Static_assert(sizeof(type) == (bytes), #type)
#endif

// An epoch is the experiment's cycle and phase in one word: cycle << 3 | phase (recording/run.h).
#define EBB_PHASE_BITS 3
#define EBB_PHASE_MASK ((1U << EBB_PHASE_BITS) - 1)

#define EBB_CYCLE_SLOTS 4096  // live counts are kept by cycle modulo this; a power of two
#define EBB_TCP_STATES 13
#define EBB_STACK_DEPTH 64
#define EBB_MAX_PROCESSES 64
#define EBB_ADDRESS_BYTES 16

enum ebb_event_type {
  EBB_EVENT_SOCKET_END = 1,  // ebb_socket_event
  EBB_EVENT_MAPPING = 2,     // ebb_mapping_event
  EBB_EVENT_TASK = 3,        // ebb_task_event
  EBB_EVENT_GC = 4,          // ebb_gc_event
  EBB_EVENT_FD = 5,          // ebb_fd_event
  EBB_EVENT_LOOP = 6,        // ebb_loop_event
  EBB_EVENT_STALL = 7,       // ebb_stall_event
};

struct ebb_header {
  __u64 ts_ns;
  __u32 type;  // ebb_event_type
  __u32 epoch;
  __u32 tid;   // the current task's, as is
  __u32 tgid;  // this; both mean nothing for EBB_EVENT_SOCKET_END (softirq)
};
EBB_ASSERT_SIZE(struct ebb_header, 24);

enum ebb_direction { EBB_ACCEPTED = 0, EBB_OUTGOING = 1 };
enum ebb_closed_first { EBB_CLOSED_NOBODY = 0, EBB_CLOSED_TARGET = 1, EBB_CLOSED_PEER = 2 };

// One TCP socket of the target; the value of the `sockets` map while it lives.
struct ebb_socket {
  __u64 id;                           // 1, 2, … in order of birth
  __u64 born_ns;                      // SYN_SENT or ESTABLISHED; 0: before the tracer came
  __u64 established_ns;               // 0: not yet, or before the tracer came
  __u64 changed_ns;                   // when `state` was entered (or first seen)
  __u64 ns_in_state[EBB_TCP_STATES];  // completed stays
  __u8 local_address[EBB_ADDRESS_BYTES];
  __u8 remote_address[EBB_ADDRESS_BYTES];
  __u32 birth_epoch;
  __u16 local_port;
  __u16 remote_port;
  __u8 state;
  __u8 direction;     // ebb_direction
  __u8 closed_first;  // ebb_closed_first
  __u8 padding;
  __u32 answered_seq;  // outgoing: how far had been sent when the last answer began
};
EBB_ASSERT_SIZE(struct ebb_socket, 184);

struct ebb_socket_event {
  struct ebb_header header;
  struct ebb_socket socket;  // state is TCP_CLOSE, changed_ns the end
};
EBB_ASSERT_SIZE(struct ebb_socket_event, 208);

enum ebb_mapping_operation { EBB_MMAP = 1, EBB_MUNMAP = 2, EBB_MREMAP = 3, EBB_BRK = 4 };

struct ebb_mapping_event {
  struct ebb_header header;
  __u64 address;      // mmap: the result; munmap, mremap: the old start; brk: the new break
  __u64 length;       // mremap: the old length; brk: 0
  __u64 new_address;  // mremap only
  __u64 new_length;   // mremap only
  __u64 stack_id;     // 0: none
  __u32 operation;    // ebb_mapping_operation
  __u16 protection;   // PROT_*, mmap only
  __u16 flags;        // low bits of MAP_* or MREMAP_*
};
EBB_ASSERT_SIZE(struct ebb_mapping_event, 72);

enum ebb_task_operation {
  EBB_TASK_THREAD = 1,  // a thread of a traced process was born
  EBB_TASK_CHILD = 2,   // a child process of one was born
  EBB_TASK_THREAD_EXIT = 3,
  EBB_TASK_CHILD_EXIT = 4,
  EBB_TASK_EXEC = 5,  // a traced process became another program
};

struct ebb_task_event {
  struct ebb_header header;
  __u32 operation;  // ebb_task_operation
  __u32 task_tid;
  __u32 task_tgid;
  __s32 exit_code;  // as wait(2) gives it
  char comm[16];    // of the task
};
EBB_ASSERT_SIZE(struct ebb_task_event, 56);

// One garbage collection of V8, sent at its end.
struct ebb_gc_event {
  struct ebb_header header;
  __u64 start_ns;
  __u64 used_bytes;       // last Heap::SizeOfObjects() within the GC; 0: not called
  __u64 committed_bytes;  // last Heap::CommittedMemory() within the GC; 0: not called
  __u32 collector;        // v8::internal::GarbageCollector
  __u32 padding;
};
EBB_ASSERT_SIZE(struct ebb_gc_event, 56);

enum ebb_fd_operation { EBB_FD_ACCEPT = 1, EBB_FD_CLOSE = 2, EBB_FD_SHUTDOWN = 3 };

struct ebb_fd_event {
  struct ebb_header header;
  __u32 operation;  // ebb_fd_operation
  __s32 fd;
};
EBB_ASSERT_SIZE(struct ebb_fd_event, 32);

#define EBB_STALL_NS 20000000ULL  // a turn so long is sent as a record

// One thread's event loop: the round that is under way, from one return of epoll_wait to the next,
// and the sums of those rounds that lay within one phase. The value of the `loops` map.
struct ebb_loop {
  __u64 turn_start_ns;
  __u64 wait_start_ns;  // the turn's end; 0: it goes on
  __u64 turns;
  __u64 busy_ns;
  __u64 waiting_ns;
  __u64 longest_ns;  // turn
  __u64 longest_start_ns;
  __u64 cpu_ns;            // of the rounds, as `turns`
  __u64 delayed_ns;        // ready to run, without a CPU
  __u64 cpu_start_ns;      // the thread's CPU time when the turn began
  __u64 delayed_start_ns;  // … and the time that it had been delayed
  __u32 epoch;             // in which the round began
  __u32 tgid;
};
EBB_ASSERT_SIZE(struct ebb_loop, 96);

// Sent when a round ends in another phase than it began in, and at the thread's end: header.ts_ns
// is the end of the round.
struct ebb_loop_event {
  struct ebb_header header;
  struct ebb_loop loop;
  __u64 cpu_ns;  // of the round
  __u64 delayed_ns;
};
EBB_ASSERT_SIZE(struct ebb_loop_event, 136);

struct ebb_stall_event {
  struct ebb_header header;  // epoch: in which it began
  __u64 start_ns;
  __u64 duration_ns;
};
EBB_ASSERT_SIZE(struct ebb_stall_event, 40);

// What iter/task_file writes for each fd of one process.
struct ebb_fd_record {
  __u64 file;  // kernel address of the open file; an identity, never stored or shown
  __u64 inode;
  __u64 socket_id;  // ebb_socket.id when the fd is a followed TCP socket, else 0
  __u32 fd;
  __u16 mode;      // S_IFMT bits; 0 for anonymous inodes (epoll, eventfd, timerfd)
  __u16 family;    // sockets: AF_*
  __u16 protocol;  // sockets: IPPROTO_*
  __u8 state;      // TCP sockets: TCP_*
  __u8 padding[5];
};
EBB_ASSERT_SIZE(struct ebb_fd_record, 40);

// Sums over the accepted sockets that live, whether or not a fd holds them.
struct ebb_socket_queues {
  __u64 memory_bytes;  // charged for what waits to be read, sent or acknowledged
  __u64 send_bytes;    // written and not yet acknowledged
};
EBB_ASSERT_SIZE(struct ebb_socket_queues, 16);

// What iter/task_vma writes for each mapping of one process.
struct ebb_vma_record {
  __u64 start;
  __u64 end;
};
EBB_ASSERT_SIZE(struct ebb_vma_record, 16);

struct ebb_stack {
  __u64 depth;
  __u64 address[EBB_STACK_DEPTH];  // innermost first
};
EBB_ASSERT_SIZE(struct ebb_stack, 520);

// Key and value of the `listeners` map: what the target listens on.
struct ebb_listen_key {
  __u32 netns;  // inode number of the network namespace
  __u16 port;
  __u16 padding;
};
EBB_ASSERT_SIZE(struct ebb_listen_key, 8);

struct ebb_listen_value {
  __u32 any_address;  // 1: whatever the local address
  __u32 padding;
  __u8 address[EBB_ADDRESS_BYTES];
};
EBB_ASSERT_SIZE(struct ebb_listen_value, 24);

// Key and value of the `upstream_waits` map.
struct ebb_upstream_key {
  __u8 address[EBB_ADDRESS_BYTES];
  __u32 epoch;  // of the answers
  __u16 port;
  __u16 padding;
};
EBB_ASSERT_SIZE(struct ebb_upstream_key, 24);

struct ebb_upstream_wait {
  __u64 answers;
  __u64 total_ns;
  __u64 longest_ns;
};
EBB_ASSERT_SIZE(struct ebb_upstream_wait, 24);

struct ebb_fault_key {
  __u64 stack_id;
  __u32 cycle;
  __u32 tgid;
};
EBB_ASSERT_SIZE(struct ebb_fault_key, 16);

// The target's live activity and everything the kernel side failed to keep. Only ever grows.
struct ebb_counters {
  __u64 sockets_born;
  __u64 sockets_ended;
  __u64 mapping_operations;
  __u64 lost_records;      // ring buffer full
  __u64 lost_sockets;      // sockets map full: the connection is not followed
  __u64 lost_ends;         // a socket's address came up again: its end had been missed
  __u64 lost_stacks;       // stack could not be read
  __u64 lost_stack_room;   // stacks map full
  __u64 stack_collisions;  // another stack under the same hash
  __u64 lost_faults;       // fault map full, or over the stack budget
  __u64 lost_tasks;        // children map full
  __u64 lost_gc;           // a GC began or ended without its other half
  __u64 lost_deletes;      // an entry that could not be taken out of its map
  __u64 lost_loops;        // loops map full
  __u64 lost_answers;      // upstream map full
};
EBB_ASSERT_SIZE(struct ebb_counters, 120);

#endif
