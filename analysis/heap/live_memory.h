// Answers: what stood at this address of the target, and which object begins there? The chunks of
// an image as pages of 256 KiB, each with a bit per word where an object begins.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <vector>

#include "recording/heap_image.h"

namespace ebbtide {

using Address = std::uint64_t;  // in the target

// Tagged words: a Smi has 32 zero bits below its value, a strong reference ends in 01, a weak one
// in 11.
constexpr bool is_reference(std::uint64_t word) { return (word & 3) == 1; }
constexpr bool is_smi(std::uint64_t word) { return (word & 0xffffffff) == 0; }
constexpr std::int32_t smi_value(std::uint64_t word) {
  return static_cast<std::int32_t>(word >> 32);
}
constexpr Address untagged(std::uint64_t word) { return word - 1; }

// One bit per word of a page, and how many are set before a given one.
class WordBits {
 public:
  [[nodiscard]] bool get(std::uint32_t word) const { return (bits_[word >> 6] >> (word & 63)) & 1; }
  void set(std::uint32_t word) { bits_[word >> 6] |= std::uint64_t{1} << (word & 63); }
  void clear(std::uint32_t word) { bits_[word >> 6] &= ~(std::uint64_t{1} << (word & 63)); }
  // The first set one at or after `from`; `words` when there is none.
  [[nodiscard]] std::uint32_t next(std::uint32_t from) const;
  [[nodiscard]] std::uint32_t count_before(std::uint32_t word) const;
  // Makes count_before() right for the bits as they are now; returns how many there are.
  std::uint32_t index();

  static constexpr std::uint32_t words = 1 << 15;

 private:
  std::array<std::uint64_t, words / 64> bits_{};
  std::array<std::uint16_t, words / 64> before_{};  // bits in the blocks before
};

inline constexpr std::uint16_t no_isolate = 0xffff;

struct LivePage {
  Address start = 0;
  const std::byte* bytes = nullptr;
  std::uint64_t room = 0;    // from start to the end of the region, beyond this page perhaps
  std::uint32_t length = 0;  // of the page itself
  bool continued = false;    // the page before it belongs to the same region
  bool walked = false;       // has a chunk's header, or is the rest of a large one
  bool read_only = false;    // V8's read-only space: constants that isolates may share
  std::uint16_t isolate = no_isolate;
  std::uint32_t first_node = 0;  // of the isolate whose graph is being made
  bool in_graph = false;
  WordBits starts;  // objects begin here
  WordBits marks;   // and are reached from strong roots
  WordBits taken;   // and have been taken as part of their owner
};

class LiveMemory {
 public:
  static constexpr std::uint64_t page_size = 1 << 18;

  explicit LiveMemory(const HeapImage& image);

  [[nodiscard]] std::vector<LivePage>& pages() { return pages_; }
  [[nodiscard]] const std::vector<LivePage>& pages() const { return pages_; }

  [[nodiscard]] LivePage* page_of(Address address) {
    const auto found = find(address);
    return found == none ? nullptr : &pages_[found];
  }
  [[nodiscard]] const LivePage* page_of(Address address) const {
    const auto found = find(address);
    return found == none ? nullptr : &pages_[found];
  }

  // `size` bytes from address; nullptr when not all of them are in the image.
  [[nodiscard]] const std::byte* at(Address address, std::uint64_t size) const {
    const LivePage* page = page_of(address);
    if (page == nullptr) return nullptr;
    const auto offset = address - page->start;
    return offset + size <= page->room ? page->bytes + offset : nullptr;
  }
  // 0, which is no reference, when it is not in the image.
  template <class T>
  [[nodiscard]] T read(Address address) const {
    T value{};
    if (const auto* bytes = at(address, sizeof value)) std::memcpy(&value, bytes, sizeof value);
    return value;
  }
  [[nodiscard]] std::uint64_t word(Address address) const { return read<std::uint64_t>(address); }

  static std::uint32_t word_in_page(Address address) {
    return static_cast<std::uint32_t>(address & (page_size - 1)) >> 3;
  }
  // Where the next object begins or the region ends.
  [[nodiscard]] Address next_start(Address address) const;

 private:
  static constexpr std::uint32_t none = 0xffffffff;
  [[nodiscard]] std::uint32_t find(Address address) const {
    const std::uint64_t key = address >> 18;
    for (auto slot = hash(key);; slot = (slot + 1) & mask_) {
      if (table_[slot] == none) return none;
      if (pages_[table_[slot]].start >> 18 == key) return table_[slot];
    }
  }
  [[nodiscard]] std::uint32_t hash(std::uint64_t key) const {
    return static_cast<std::uint32_t>((key * 0x9e3779b97f4a7c15ULL) >> 40) & mask_;
  }

  std::vector<LivePage> pages_;  // ascending
  std::vector<std::uint32_t> table_;
  std::uint32_t mask_ = 0;
};

}  // namespace ebbtide
