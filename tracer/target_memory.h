// Answers: what stands in a live process's memory, and which of it is in memory at all? Reads
// without faulting anything in, so that looking changes nothing.
#pragma once

#include <sys/types.h>

#include <cstddef>
#include <cstdint>
#include <span>
#include <type_traits>
#include <vector>

#include "recording/result.h"

namespace ebbtide {

inline constexpr std::uint64_t page_size = 4096;
inline constexpr std::uint64_t word_size = sizeof(std::uint64_t);

struct AddressRange {
  std::uint64_t start = 0;
  std::uint64_t end = 0;

  [[nodiscard]] std::uint64_t size() const { return end - start; }
};

class TargetMemory {
 public:
  // Error: the process is gone or not ours to look at.
  static Result<TargetMemory> open(pid_t pid);
  TargetMemory(TargetMemory&& other) noexcept;
  TargetMemory(const TargetMemory&) = delete;
  TargetMemory& operator=(const TargetMemory&) = delete;
  TargetMemory& operator=(TargetMemory&&) = delete;
  ~TargetMemory();

  // How many bytes are there: fewer when the rest is not mapped, 0 when the process has ended.
  [[nodiscard]] std::size_t read_some(std::uint64_t address, std::span<std::byte> into) const;
  // All of `into`, or false.
  [[nodiscard]] bool read(std::uint64_t address, std::span<std::byte> into) const {
    return read_some(address, into) == into.size();
  }
  template <class T>
  requires std::is_trivially_copyable_v<T>
  [[nodiscard]] bool read(std::uint64_t address, T& value) const {
    return read(address, std::as_writable_bytes(std::span(&value, 1)));
  }

  // The parts of `range` that are in memory or swapped out, in whole pages, ascending.
  [[nodiscard]] std::vector<AddressRange> resident(AddressRange range) const;

 private:
  TargetMemory(pid_t pid, int pagemap) : pid_(pid), pagemap_(pagemap) {}

  pid_t pid_;
  int pagemap_;
};

}  // namespace ebbtide
