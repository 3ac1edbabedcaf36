// Answers: how much resident memory has glibc's malloc taken, by its arenas alone? What is left
// between it and the whole are mappings of somebody's own: V8's pages, stacks, large blocks.
#pragma once

#include <cstdint>
#include <string_view>

#include "recording/result.h"

namespace ebbtide {

// Bytes of resident pages, swap aside. Error: the process is gone or is not ours to look at.
Result<std::uint64_t> read_malloc_resident(std::int32_t pid);

// The same from the text of a /proc/PID/smaps. The main arena is [heap]; any other grows inside a
// reservation of 64 MB at a multiple of 64 MB (HEAP_MAX_SIZE in glibc's malloc/arena.c), whose rest
// is mapped without any right.
std::uint64_t malloc_resident_in(std::string_view smaps);

}  // namespace ebbtide
