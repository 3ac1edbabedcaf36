// Answers: where does V8 keep the references that C++ holds into the heap? Its global handles stand
// in blocks of 256 nodes, found among the small allocations by their shape: node i of a block has
// the byte i at +10.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <span>
#include <vector>

#include "tracer/target_memory.h"

namespace ebbtide {

class HandleBlocks {
 public:
  static constexpr std::size_t nodes = 256;
  static constexpr std::size_t node_size = 32;
  static constexpr std::size_t block_size = nodes * node_size;

  static bool has_shape(std::span<const std::byte> block);

  // Goes through the memory that use_of() calls malloc. Reads as many bytes as are resident there,
  // so it is done while the process runs.
  void search(const TargetMemory& memory, const std::vector<AddressRange>& malloc_memory);

  // Takes every block as it is now, those made since the search among them: the lists that link
  // them are read again.
  void read(const TargetMemory& memory,
            const std::function<void(std::uint64_t address, std::span<const std::byte>)>& take);

  [[nodiscard]] bool empty() const { return blocks_.empty(); }

 private:
  struct List {
    std::uint64_t head = 0;  // address of the pointer to its first block
  };
  void search_range(const TargetMemory& memory, AddressRange range);
  void find_lists(const TargetMemory& memory);
  [[nodiscard]] std::size_t blocks_behind(const TargetMemory& memory, std::uint64_t head,
                                          std::uint64_t wanted) const;

  std::vector<std::uint64_t> blocks_;  // ascending
  std::vector<List> lists_;
};

}  // namespace ebbtide
