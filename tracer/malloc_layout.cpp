#include "tracer/malloc_layout.h"

#include <fmt/format.h>

#include <algorithm>
#include <cstring>
#include <string_view>

namespace ebbtide {
namespace {

constexpr std::size_t bin_count = 127;
constexpr std::uint64_t bins_size = bin_count * 2 * word_size;
constexpr std::uint64_t binmap_size = 16;
// What follows the binmap: next, next_free, attached_threads, system_mem, max_system_mem.
constexpr std::uint64_t tail_size = 5 * word_size;
constexpr std::size_t fast_list_count = 10;
// Where the bins may begin: behind a lock and flags, and where there are fast lists behind those.
constexpr std::uint64_t least_bins_offset = 16;
constexpr std::uint64_t most_bins_offset = 192;
constexpr std::uint64_t offset_with_fast_lists = 96;
constexpr std::size_t most_arenas = 4096;  // 8 per CPU unless a tunable says otherwise
constexpr std::uint64_t most_data_bytes = 64U << 20;
constexpr std::int32_t default_mmaps_max = 65536;  // DEFAULT_MMAP_MAX

// The writable data of one file, copied.
class DataWords {
 public:
  DataWords(const TargetMemory& memory, const ProcessMapping& data)
      : start_(data.start), words_((data.end - data.start) / word_size) {
    const std::size_t got = memory.read_some(start_, std::as_writable_bytes(std::span(words_)));
    words_.resize(got / word_size);
  }
  [[nodiscard]] std::size_t size() const { return words_.size(); }
  [[nodiscard]] std::uint64_t operator[](std::size_t i) const { return words_[i]; }
  [[nodiscard]] std::uint64_t address(std::size_t i) const { return start_ + i * word_size; }
  [[nodiscard]] std::int32_t half(std::size_t byte) const {
    std::int32_t value = 0;
    std::memcpy(&value, reinterpret_cast<const char*>(words_.data()) + byte, sizeof value);
    return value;
  }
  // A bin is a list through a chunk header that would begin two words before it.
  [[nodiscard]] bool is_empty_bin(std::size_t i) const {
    return words_[i] == address(i) - 2 * word_size && words_[i + 1] == words_[i];
  }

 private:
  std::uint64_t start_;
  std::vector<std::uint64_t> words_;
};

bool may_be_chunk(std::uint64_t address) { return address != 0 && address % (2 * word_size) == 0; }

// Where the row of bins begins whose last is at `last`; nullopt when it is no such row.
std::optional<std::size_t> first_bin(const DataWords& data, std::size_t last) {
  if (last < 2 * (bin_count - 1) || !data.is_empty_bin(last)) return std::nullopt;
  if (last + 3 < data.size() && data.is_empty_bin(last + 2)) return std::nullopt;
  const std::size_t first = last - 2 * (bin_count - 1);
  for (std::size_t i = first; i < last; i += 2) {
    if (!data.is_empty_bin(i) && !(may_be_chunk(data[i]) && may_be_chunk(data[i + 1])))
      return std::nullopt;
  }
  return first;
}

// Where n_mmaps lies before mp_.sbrk_base at word i, in bytes: glibc 2.35 put an int before it.
// n_mmaps, n_mmaps_max, max_n_mmaps, no_dyn_threshold, then mmapped_mem and max_mmapped_mem.
std::optional<std::uint64_t> mmap_count_before(const DataWords& data, std::size_t i) {
  if (i < 5) return std::nullopt;
  const std::uint64_t bytes = data[i - 2];
  const std::uint64_t most_bytes = data[i - 1];
  if (bytes % page_size != 0 || most_bytes % page_size != 0 || bytes > most_bytes)
    return std::nullopt;
  for (const std::uint64_t distance : {36U, 32U}) {
    const std::size_t at = i * word_size - distance;
    const auto count = data.half(at);
    const auto most = data.half(at + 8);
    if (data.half(at + 4) == default_mmaps_max && count >= 0 && count <= most &&
        static_cast<std::uint64_t>(count) <= bytes / page_size)
      return distance;
  }
  return std::nullopt;
}

Error no_layout(pid_t pid, const std::vector<ProcessMapping>& mappings) {
  std::string_view other;
  for (const ProcessMapping& mapping : mappings) {
    for (const std::string_view name : {"jemalloc", "tcmalloc", "mimalloc", "musl"}) {
      if (mapping.path.find(name) != std::string::npos) other = name;
    }
  }
  return {"read malloc's heaps of", fmt::format("process {}", pid),
          other.empty()
              ? "no heap of glibc's malloc was found: it allocates in another way"
              : fmt::format("it allocates with {}, and only glibc's malloc is known", other),
          ""};
}

}  // namespace

bool MallocLayout::find_in(const TargetMemory& memory, const ProcessMapping& mapping) {
  const DataWords data(memory, mapping);
  std::uint64_t bins = 0;
  for (std::size_t i = 0; i + 1 < data.size() && bins == 0; i++) {
    if (const auto first = first_bin(data, i)) bins = data.address(*first);
  }
  if (bins == 0) return false;
  for (std::size_t i = 0; i < data.size(); i++) {
    const auto distance = mmap_count_before(data, i);
    if (!distance) continue;
    brk_start_ = data.address(i);
    mmap_count_ = brk_start_ - *distance;
  }
  if (brk_start_ == 0) return false;
  // Only with the right offset is the main arena in the ring that begins with it.
  for (bins_offset_ = least_bins_offset; bins_offset_ <= most_bins_offset;
       bins_offset_ += word_size) {
    main_arena_ = bins - bins_offset_;
    if (!arenas(memory).empty()) return true;
  }
  return false;
}

Result<MallocLayout> MallocLayout::find(pid_t pid, const TargetMemory& memory) {
  const auto mappings = read_process_maps(pid);
  if (!mappings) return mappings.error();
  for (const ProcessMapping& mapping : *mappings) {
    MallocLayout layout;
    const bool data = mapping.inode != 0 && mapping.readable && mapping.writable;
    if (data && mapping.end - mapping.start <= most_data_bytes && layout.find_in(memory, mapping))
      return layout;
  }
  return no_layout(pid, *mappings);
}

std::uint64_t MallocLayout::arena_size() const {
  return bins_offset_ + bins_size + binmap_size + tail_size;
}

std::optional<MallocArena> MallocLayout::arena_at(const TargetMemory& memory,
                                                  std::uint64_t address) const {
  std::vector<std::byte> bytes(arena_size());
  if (address % word_size != 0 || !memory.read(address, std::span(bytes))) return std::nullopt;
  const auto at = [&](std::uint64_t offset) {
    std::uint64_t value = 0;
    std::memcpy(&value, bytes.data() + offset, sizeof value);
    return value;
  };
  const std::uint64_t tail = bins_offset_ + bins_size + binmap_size;
  MallocArena arena{.address = address,
                    .top = at(bins_offset_ - 2 * word_size),
                    .taken_bytes = at(tail + 3 * word_size),
                    .next = at(tail),
                    .fast_lists = {}};
  if (bins_offset_ < offset_with_fast_lists) return arena;
  for (std::size_t i = 0; i < fast_list_count; i++)
    arena.fast_lists.push_back(at(bins_offset_ - (2 + fast_list_count - i) * word_size));
  return arena;
}

std::vector<MallocArena> MallocLayout::arenas(const TargetMemory& memory) const {
  std::vector<MallocArena> ring;
  for (std::uint64_t address = main_arena_; ring.size() < most_arenas;) {
    auto arena = arena_at(memory, address);
    if (!arena) return {};
    address = arena->next;
    ring.push_back(*std::move(arena));
    if (address == main_arena_) return ring;
  }
  return {};
}

std::optional<MallocLayout::Mmapped> MallocLayout::mmapped(const TargetMemory& memory) const {
  std::int32_t blocks = 0;
  std::uint64_t bytes = 0;
  if (!memory.read(mmap_count_, blocks) || !memory.read(brk_start_ - 2 * word_size, bytes) ||
      blocks < 0)
    return std::nullopt;
  return Mmapped{static_cast<std::uint64_t>(blocks), bytes};
}

std::optional<std::uint64_t> MallocLayout::heap_start(const TargetMemory& memory) const {
  std::uint64_t start = 0;
  if (!memory.read(brk_start_, start)) return std::nullopt;
  return start;
}

}  // namespace ebbtide
