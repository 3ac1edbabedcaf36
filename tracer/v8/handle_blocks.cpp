#include "tracer/v8/handle_blocks.h"

#include <algorithm>
#include <array>
#include <set>

namespace ebbtide {
namespace {

constexpr std::size_t index_offset = 10;  // of a node's place in its block, one byte
constexpr std::size_t alignment = 16;     // malloc's
constexpr std::size_t most_blocks = 1 << 20;

struct Block {
  std::array<std::byte, HandleBlocks::block_size> nodes;
  // Pointers follow: the next block, V8's GlobalHandles, the list this block belongs to.
  std::uint64_t next;
  std::array<std::uint64_t, 3> owners;
};

}  // namespace

bool HandleBlocks::has_shape(std::span<const std::byte> block) {
  if (block.size() < block_size) return false;
  for (std::size_t i = 0; i < nodes; ++i) {
    if (block[i * node_size + index_offset] != static_cast<std::byte>(i)) return false;
  }
  return true;
}

void HandleBlocks::search_range(const TargetMemory& memory, AddressRange range) {
  std::vector<std::byte> window(1 << 20);
  for (auto start = range.start; start + block_size <= range.end;
       start += window.size() - block_size) {
    // The process runs: what was there a moment ago may be unmapped in part.
    const auto wanted = std::min<std::uint64_t>(window.size(), range.end - start);
    const auto size = memory.read_some(start, std::span(window.data(), wanted));
    const std::span view(window.data(), size);
    for (std::size_t at = 0; at + block_size <= size;) {
      if (has_shape(view.subspan(at, block_size))) {
        blocks_.push_back(start + at);
        at += block_size;
      } else {
        at += alignment;
      }
    }
  }
}

void HandleBlocks::search(const TargetMemory& memory,
                          const std::vector<AddressRange>& malloc_memory) {
  blocks_.clear();
  lists_.clear();
  for (const AddressRange& mapping : malloc_memory) {
    for (const AddressRange& range : memory.resident(mapping)) search_range(memory, range);
  }
  std::ranges::sort(blocks_);
  blocks_.erase(std::ranges::unique(blocks_).begin(), blocks_.end());
  find_lists(memory);
}

// How many known blocks the list with that head goes through; 0 when `wanted` is not among them.
std::size_t HandleBlocks::blocks_behind(const TargetMemory& memory, std::uint64_t head,
                                        std::uint64_t wanted) const {
  std::uint64_t block = 0;
  if (!memory.read(head, block)) return 0;
  std::size_t length = 0;
  bool found = false;
  while (std::ranges::binary_search(blocks_, block) && length <= blocks_.size()) {
    ++length;
    found = found || block == wanted;
    if (!memory.read(block + block_size, block)) return 0;
  }
  return found ? length : 0;
}

// The owner of a block that has, among its first words, a pointer from which the blocks' own
// pointers lead to this one.
void HandleBlocks::find_lists(const TargetMemory& memory) {
  std::set<std::uint64_t> owners_seen;
  for (const auto address : blocks_) {
    Block block{};
    if (!memory.read(address, block)) continue;
    for (const auto owner : block.owners) {
      if (owner == 0 || owner % sizeof owner != 0 || !owners_seen.insert(owner).second) continue;
      std::size_t longest = 0;
      List list;
      for (std::uint64_t word = 0; word < 6; ++word) {
        const auto head = owner + word * sizeof word;
        const auto length = blocks_behind(memory, head, address);
        if (length > longest) {
          longest = length;
          list.head = head;
        }
      }
      if (longest > 0) lists_.push_back(list);
    }
  }
}

void HandleBlocks::read(
    const TargetMemory& memory,
    const std::function<void(std::uint64_t address, std::span<const std::byte>)>& take) {
  std::set<std::uint64_t> all(blocks_.begin(), blocks_.end());
  Block block{};
  for (const List& list : lists_) {
    std::uint64_t address = 0;
    if (!memory.read(list.head, address)) continue;
    for (std::size_t steps = 0; address != 0 && steps < most_blocks; ++steps) {
      if (!memory.read(address, block) || !has_shape(block.nodes)) break;
      all.insert(address);
      address = block.next;
    }
  }
  std::erase_if(all, [&](std::uint64_t address) {
    if (!memory.read(address, block) || !has_shape(block.nodes)) return true;
    take(address, block.nodes);
    return false;
  });
  blocks_.assign(all.begin(), all.end());
}

}  // namespace ebbtide
