#include "analysis/heap/big_pages.h"

#include <sys/mman.h>

#include <cstdint>

namespace ebbtide {

void advise_big_pages(void* memory, std::size_t bytes) {
  constexpr std::uintptr_t page = 2 << 20;
  const auto begin = reinterpret_cast<std::uintptr_t>(memory);
  const std::uintptr_t first = (begin + page - 1) / page * page;
  const std::uintptr_t end = (begin + bytes) / page * page;
  if (first < end) madvise(reinterpret_cast<void*>(first), end - first, MADV_HUGEPAGE);
}

}  // namespace ebbtide
