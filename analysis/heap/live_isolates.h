// Answers: what does the process really hold of its heap, and which isolate does each page belong
// to? Marks what strong roots reach, as V8's collector would; what is marked from one native
// context is of one isolate.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "analysis/heap/live_objects.h"
#include "recording/heap_image.h"
#include "recording/result.h"

namespace ebbtide {

struct LiveRoots {
  std::vector<Address> native_contexts;
  std::vector<Address> handles;  // what strong global handles refer to, native contexts aside
};

class LiveIsolates {
 public:
  LiveIsolates(LiveMemory& memory, const LiveLayout& layout, LiveObjects& objects)
      : memory_(memory), layout_(layout), objects_(objects) {}

  // Sets marks and isolate of every page. Errors: no native context; references that
  // lead around in more circles than the image has words.
  Result<void> find(const HeapImage& image);

  [[nodiscard]] std::uint16_t count() const { return static_cast<std::uint16_t>(roots_.size()); }
  [[nodiscard]] const LiveRoots& roots(std::uint16_t isolate) const { return roots_[isolate]; }

 private:
  [[nodiscard]] std::vector<std::vector<Address>> read_handles(const HeapImage& image) const;
  std::vector<Address> find_native_contexts();
  void push(std::uint64_t word);
  bool drain();
  void mark_tables();
  bool mark_from(Address object, std::uint16_t isolate);
  void adopt(LivePage& page);
  void clear_false_starts(Address object, std::uint64_t claimed);
  void label_unreached_pages();
  void collect_roots(std::span<const Address> contexts,
                     const std::vector<std::vector<Address>>& handles);

  std::uint16_t same_as(std::uint16_t isolate);

  LiveMemory& memory_;
  const LiveLayout& layout_;
  LiveObjects& objects_;

  std::vector<std::uint16_t> same_;  // union-find: two contexts may turn out to share an isolate
  std::vector<LiveRoots> roots_;     // by isolate
  std::vector<Address> stack_;
  std::vector<Address> tables_;  // of WeakMaps, marked
  std::uint16_t current_ = no_isolate;
  std::uint64_t words_left_ = 0;  // that marking may still look at
};

}  // namespace ebbtide
