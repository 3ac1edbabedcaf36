// Answers: which user stack is this? Stacks are kept once, under a 64-bit hash of their addresses;
// the kernel's own stack map would drop 3–11 % of them to collisions.
#ifndef EBBTIDE_BPF_STACKS_H
#define EBBTIDE_BPF_STACKS_H

#include "state.bpf.h"

struct {
  __uint(type, BPF_MAP_TYPE_HASH);
  __uint(max_entries, 8192);
  __type(key, __u64);
  __type(value, struct ebb_stack);
} stacks SEC(".maps");

struct {
  __uint(type, BPF_MAP_TYPE_PERCPU_ARRAY);
  __uint(max_entries, 1);
  __type(key, __u32);
  __type(value, struct ebb_stack);
} stack_scratch SEC(".maps");

static __always_inline __u64 hash_stack(const struct ebb_stack* stack, __u32 depth) {
  __u64 hash = 0x9e3779b97f4a7c15ULL ^ depth;
  for (__u32 i = 0; i < EBB_STACK_DEPTH; i++) {
    if (i >= depth) break;
    hash = (hash ^ stack->address[i]) * 0xff51afd7ed558ccdULL;
    hash ^= hash >> 32;
  }
  return hash ? hash : 1;
}

static __always_inline bool same_stack(const struct ebb_stack* a, const struct ebb_stack* b) {
  if (a->depth != b->depth) return false;
  for (__u32 i = 0; i < EBB_STACK_DEPTH; i++) {
    if (i >= a->depth) break;
    if (a->address[i] != b->address[i]) return false;
  }
  return true;
}

// The id of the current task's user stack, kept in `stacks`; 0 when it could not be read or kept.
// Frame pointers lead past a leaf that keeps none straight to its caller's caller: `leaf_return`,
// when not 0, is the caller that would be missing, and goes second.
static __always_inline __u64 user_stack_id(void* ctx, __u64 leaf_return) {
  __u32 zero = 0;
  struct ebb_stack* stack = bpf_map_lookup_elem(&stack_scratch, &zero);
  if (!stack) return 0;
  __u64* walked = leaf_return ? stack->address + 1 : stack->address;
  long bytes = bpf_get_stack(ctx, walked, (EBB_STACK_DEPTH - 1) * sizeof(__u64), BPF_F_USER_STACK);
  if (bytes <= 0) {
    COUNT(lost_stacks);
    return 0;
  }
  __u32 depth = (__u32)bytes / sizeof(__u64);
  if (leaf_return) {
    stack->address[0] = stack->address[1];
    stack->address[1] = leaf_return;
    depth++;
  }
  stack->depth = depth;
  __u64 id = hash_stack(stack, depth);
  struct ebb_stack* known = bpf_map_lookup_elem(&stacks, &id);
  if (known) {
    if (!same_stack(known, stack)) COUNT(stack_collisions);
    return id;
  }
  if (bpf_map_update_elem(&stacks, &id, stack, BPF_ANY)) {
    COUNT(lost_stack_room);
    return 0;
  }
  return id;
}

#endif
