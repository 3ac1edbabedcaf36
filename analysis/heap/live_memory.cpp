#include "analysis/heap/live_memory.h"

#include <algorithm>
#include <bit>

namespace ebbtide {

std::uint32_t WordBits::next(std::uint32_t from) const {
  if (from >= words) return words;
  auto block = from >> 6;
  auto bits = bits_[block] & (~std::uint64_t{0} << (from & 63));
  while (bits == 0) {
    if (++block == bits_.size()) return words;
    bits = bits_[block];
  }
  return (block << 6) + static_cast<std::uint32_t>(std::countr_zero(bits));
}

std::uint32_t WordBits::count_before(std::uint32_t word) const {
  const auto below = bits_[word >> 6] & ((std::uint64_t{1} << (word & 63)) - 1);
  return before_[word >> 6] + static_cast<std::uint32_t>(std::popcount(below));
}

std::uint32_t WordBits::index() {
  std::uint32_t sum = 0;
  for (std::size_t block = 0; block < bits_.size(); ++block) {
    before_[block] = static_cast<std::uint16_t>(sum);
    sum += static_cast<std::uint32_t>(std::popcount(bits_[block]));
  }
  return sum;
}

LiveMemory::LiveMemory(const HeapImage& image) {
  std::size_t count = 0;
  for (const HeapRegion& region : image.regions) {
    if (region.chunk_aligned) count += region.bytes.size() / page_size + 1;
  }
  pages_.reserve(count);
  for (const HeapRegion& region : image.regions) {
    if (!region.chunk_aligned || region.start % page_size != 0) continue;
    for (std::uint64_t offset = 0; offset < region.bytes.size(); offset += page_size) {
      LivePage& page = pages_.emplace_back();
      page.start = region.start + offset;
      page.bytes = region.bytes.data() + offset;
      page.room = region.bytes.size() - offset;
      page.length = static_cast<std::uint32_t>(std::min(page.room, page_size));
      page.continued = offset != 0;
      page.read_only = region.read_only;
    }
  }
  table_.assign(std::bit_ceil(pages_.size() * 2 + 2), none);
  mask_ = static_cast<std::uint32_t>(table_.size() - 1);
  for (std::uint32_t i = 0; i < pages_.size(); ++i) {
    auto slot = hash(pages_[i].start >> 18);
    while (table_[slot] != none) slot = (slot + 1) & mask_;
    table_[slot] = i;
  }
}

Address LiveMemory::next_start(Address address) const {
  const LivePage* page = page_of(address);
  if (page == nullptr) return address;
  auto word = page->starts.next(word_in_page(address) + 1);
  while (word >= WordBits::words && page->room > page_size) {
    ++page;
    word = page->starts.next(0);
  }
  return word < WordBits::words ? page->start + word * std::uint64_t{8} : page->start + page->room;
}

}  // namespace ebbtide
