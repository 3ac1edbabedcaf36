#include "tracer/malloc_chunks.h"

#include <algorithm>
#include <cstring>

namespace ebbtide {
namespace {

constexpr std::uint64_t header_size = 2 * word_size;
constexpr std::uint64_t least_chunk = 4 * word_size;
constexpr std::uint64_t in_use_before = 1;  // PREV_INUSE
constexpr std::uint64_t own_mapping = 2;    // IS_MMAPPED
constexpr std::uint64_t flags = 7;
constexpr std::size_t window_bytes = 64 << 10;

// tcache_perthread_struct: how many blocks of each size are at hand, then the first of each. Counts
// have one byte up to glibc 2.29 and two from 2.30 on.
constexpr std::size_t cache_bins = 64;
constexpr std::uint64_t cache_size_1 = header_size + cache_bins * (1 + word_size);
constexpr std::uint64_t cache_size_2 = header_size + cache_bins * (2 + word_size);

std::uint64_t word_in(std::span<const std::byte> bytes, std::size_t offset) {
  std::uint64_t value = 0;
  std::memcpy(&value, bytes.data() + offset, sizeof value);
  return value;
}

std::uint64_t cached_size(std::size_t bin) { return least_chunk + bin * 2 * word_size; }

// Blocks that the chunk keeps at hand, if it is such a cache: where a count is not 0 a block of
// that bin's size stands, and nowhere else.
ChunkTally cached_in(ArenaMemory& memory, std::uint64_t chunk, std::uint64_t size) {
  std::array<std::byte, cache_size_2> copy{};
  const auto bytes = memory.bytes(chunk, size);
  if (bytes.size() < size) return {};
  std::ranges::copy(bytes, copy.begin());
  const std::size_t count_size = size == cache_size_1 ? 1 : 2;
  const std::size_t firsts = header_size + cache_bins * count_size;
  ChunkTally cached;
  for (std::size_t bin = 0; bin < cache_bins; bin++) {
    std::uint16_t count = 0;
    std::memcpy(&count, copy.data() + header_size + bin * count_size, count_size);
    const std::uint64_t first = word_in(copy, firsts + bin * word_size);
    if ((count == 0) != (first == 0)) return {};
    if (count == 0) continue;
    std::uint64_t head = 0;
    if (first % header_size != 0 || !memory.target().read(first - word_size, head) ||
        (head & ~flags) != cached_size(bin))
      return {};
    cached.cached_blocks += count;
    cached.cached_bytes += count * cached_size(bin);
  }
  return cached;
}

// nullopt when no chunk begins with such a header.
std::optional<std::uint64_t> chunk_size(std::uint64_t header) {
  const std::uint64_t size = header & ~flags;
  if (size < least_chunk || size % header_size != 0 || (header & own_mapping) != 0)
    return std::nullopt;
  return size;
}

// Where a row ends that does not end with the top: with headers alone. Where the main arena was
// interrupted two or three reach to the end of a page, where a thread's heap was full the first or
// the second is 0.
std::optional<std::uint64_t> end_mark(ArenaMemory& memory, std::uint64_t at) {
  for (int headers = 0; headers < 3; headers++) {
    const auto header = memory.word(at + word_size);
    if (!header) return std::nullopt;
    const std::uint64_t size = *header & ~flags;
    at += header_size;
    if (size == 0) return headers < 2 ? std::optional(at) : std::nullopt;
    if (size != header_size) return std::nullopt;
    if (headers > 0 && at % page_size == 0) return at;
  }
  return std::nullopt;
}

}  // namespace

ArenaMemory::ArenaMemory(const TargetMemory& memory, AddressRange range)
    : memory_(memory), range_(range), resident_(memory.resident(range)), window_(window_bytes) {}

std::span<const std::byte> ArenaMemory::bytes(std::uint64_t address, std::size_t size) {
  const auto in_window = [&] {
    return address >= window_start_ && address - window_start_ <= window_size_ &&
           window_size_ - (address - window_start_) >= size;
  };
  if (!in_window()) {
    window_size_ = 0;
    const auto behind = std::ranges::upper_bound(resident_, address, {}, &AddressRange::start);
    if (behind == resident_.begin() || address >= std::prev(behind)->end) return {};
    const auto wanted = std::min<std::uint64_t>(window_.size(), std::prev(behind)->end - address);
    window_start_ = address;
    window_size_ = memory_.read_some(address, std::span(window_).first(wanted));
  }
  const std::size_t offset = address - window_start_;
  return std::span(window_).subspan(offset, std::min(size, window_size_ - offset));
}

std::optional<std::uint64_t> ArenaMemory::word(std::uint64_t address) {
  const auto found = bytes(address, word_size);
  if (found.size() < word_size) return std::nullopt;
  return word_in(found, 0);
}

std::uint64_t ArenaMemory::resident_bytes(AddressRange range) const {
  std::uint64_t sum = 0;
  auto part = std::ranges::upper_bound(resident_, range.start, {}, &AddressRange::end);
  for (; part != resident_.end() && part->start < range.end; ++part)
    sum += std::min(part->end, range.end) - std::max(part->start, range.start);
  return sum;
}

ChunkTally& ChunkTally::operator+=(const ChunkTally& other) {
  in_use_blocks += other.in_use_blocks;
  in_use_bytes += other.in_use_bytes;
  free_chunks += other.free_chunks;
  free_resident_bytes += other.free_resident_bytes;
  top_resident_bytes += other.top_resident_bytes;
  cached_blocks += other.cached_blocks;
  cached_bytes += other.cached_bytes;
  return *this;
}

std::optional<ChunkRow> walk_chunks(ArenaMemory& memory, std::uint64_t start, std::uint64_t top) {
  const std::uint64_t limit = memory.range().end;
  ChunkRow row;
  for (std::uint64_t at = start; at < limit;) {
    const auto header = memory.word(at + word_size);
    if (!header) return std::nullopt;
    const auto size = chunk_size(*header);
    if (at == start && (!size || (*header & in_use_before) == 0)) return std::nullopt;
    if (!size) {
      const auto end = end_mark(memory, at);
      if (!end || *end > limit) return std::nullopt;
      row.end = *end;
      return row;
    }
    if (*size > limit - at) return std::nullopt;
    if (at == top) {
      row.end = at + *size;
      row.has_top = true;
      row.tally.top_resident_bytes = memory.resident_bytes({at, row.end});
      return row;
    }
    const std::uint64_t next = at + *size;
    if (*size == cache_size_1 || *size == cache_size_2) {
      const ChunkTally cached = cached_in(memory, at, *size);
      row.tally += cached;
    }
    const auto next_header = memory.word(next + word_size);
    if (!next_header) return std::nullopt;
    if ((*next_header & in_use_before) != 0) {
      row.tally.in_use_blocks++;
      row.tally.in_use_bytes += *size;
    } else {
      if (memory.word(next) != size) return std::nullopt;  // a free chunk ends with its size
      row.tally.free_chunks++;
      row.tally.free_resident_bytes += memory.resident_bytes({at, next});
    }
    at = next;
  }
  return std::nullopt;
}

std::optional<ChunkTally> follow_fast_list(const TargetMemory& memory, std::uint64_t head,
                                           std::uint64_t most) {
  ChunkTally list;
  for (std::uint64_t chunk = head; chunk != 0;) {
    std::array<std::uint64_t, 3> words{};  // size of the one before, size, next
    if (list.cached_blocks == most || chunk % header_size != 0 || !memory.read(chunk, words))
      return std::nullopt;
    const auto size = chunk_size(words[1]);
    if (!size) return std::nullopt;
    list.cached_blocks++;
    list.cached_bytes += *size;
    // From glibc 2.32 on the pointer is hidden by its own address.
    const std::uint64_t hidden = words[2] ^ ((chunk + header_size) >> 12);
    chunk = words[2] == 0 || (hidden % header_size != 0 && words[2] % header_size == 0) ? words[2]
                                                                                        : hidden;
  }
  return list;
}

}  // namespace ebbtide
