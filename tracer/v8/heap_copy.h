// Answers: which bytes of the target are its JavaScript heap, and how do they come over fast? What
// is laid out and faulted in before the threads are held is not paid for while they are.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <vector>

#include "recording/heap_image.h"
#include "tracer/v8/mapping_use.h"

namespace ebbtide {

// Memory of ours that is faulted in, so that writing to it costs no page faults.
class CopyBuffer {
 public:
  // Error: no memory.
  static Result<std::shared_ptr<CopyBuffer>> make(std::size_t size);
  CopyBuffer(const CopyBuffer&) = delete;
  CopyBuffer& operator=(const CopyBuffer&) = delete;
  ~CopyBuffer();

  [[nodiscard]] std::byte* data() const { return data_; }
  [[nodiscard]] std::size_t size() const { return size_; }

 private:
  CopyBuffer(std::byte* data, std::size_t size) : data_(data), size_(size) {}
  std::byte* data_;
  std::size_t size_;
};

struct ChunkMapping {
  AddressRange range;
  bool read_only = false;
  bool resident = false;  // all of it, when that was looked at
};

// What every anonymous mapping of one process is used for. What a refresh finds where it was before
// is not looked at again: between two of them may be milliseconds, not more.
class MemoryMap {
 public:
  // Error: the process is gone or not ours to look at.
  Result<void> refresh(pid_t pid, const TargetMemory& memory);

  std::vector<ChunkMapping>& chunks() { return chunks_; }
  [[nodiscard]] const std::vector<AddressRange>& malloc_memory() const { return malloc_; }

 private:
  using Place = std::pair<std::uint64_t, std::uint64_t>;
  std::map<Place, MappingUse> known_;
  std::vector<ChunkMapping> chunks_;
  std::vector<AddressRange> malloc_;
};

// Where each resident byte of the chunks goes in the buffer. Chunks without a resident page take no
// room.
class CopyPlan {
 public:
  // Notes which chunks are resident as a whole, and trusts such notes.
  static CopyPlan of(std::vector<ChunkMapping>& chunks, const TargetMemory& memory);

  [[nodiscard]] std::size_t buffer_size() const { return buffer_size_; }
  [[nodiscard]] std::uint64_t resident_bytes() const { return resident_bytes_; }

  // Copies with as many threads as there are CPUs. `late` is asked between the batches; when it
  // says yes, or the process has ended, the result is false.
  [[nodiscard]] bool copy(pid_t pid, std::byte* buffer, const std::function<bool()>& late) const;
  // What was not resident reads as zero, whatever the buffer held before.
  void clear_gaps(std::byte* buffer) const;
  [[nodiscard]] std::vector<HeapRegion> regions(const std::byte* buffer) const;

 private:
  struct Piece {
    AddressRange from;
    std::size_t to = 0;
    bool read_only = false;
  };
  [[nodiscard]] bool copy_batch(pid_t pid, std::byte* buffer, std::size_t first,
                                std::size_t last) const;

  std::vector<Piece> regions_;   // with their gaps
  std::vector<Piece> resident_;  // what is copied, ascending
  std::size_t buffer_size_ = 0;
  std::uint64_t resident_bytes_ = 0;
};

}  // namespace ebbtide
