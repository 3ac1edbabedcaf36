// Answers: where does each object of the image begin, of which map is it and how long? Chunks are
// walked from object to object; what walks is checked, what does not is counted.
#pragma once

#include <algorithm>
#include <cstdint>
#include <deque>
#include <unordered_map>
#include <vector>

#include "analysis/heap/live_layout.h"
#include "analysis/heap/live_memory.h"
#include "recording/result.h"

namespace ebbtide {

// One of V8's maps: what the objects that point to it are.
struct LiveMap {
  Address address = 0;
  InstanceType type = 0;
  std::uint8_t words = 0;  // of an instance; 0: it says itself how long it is
  Slots slots = Slots::all;
  bool receiver = false;    // of JavaScript objects
  bool dictionary = false;  // whose properties are in a hash table
};

using MapIndex = std::uint32_t;
inline constexpr MapIndex no_map = 0xffffffff;

class LiveObjects {
 public:
  LiveObjects(LiveMemory& memory, LiveLayout& layout) : memory_(memory), layout_(layout) {}

  // Error: there is no map that is its own map, so this is no heap that we know.
  Result<void> find();

  // Of the first word of an object; no_map when it refers to no map.
  MapIndex map_of_word(std::uint64_t word) {
    if (!is_reference(word)) return no_map;
    if (word == last_word_) return last_map_;
    return look_up(word);
  }
  MapIndex map_of(Address object) { return map_of_word(memory_.word(object)); }
  [[nodiscard]] const LiveMap& map(MapIndex index) const { return maps_[index]; }
  [[nodiscard]] const std::vector<Address>& meta_maps() const { return meta_maps_; }

  // The type of what a tagged word refers to; type_limit when that is no object.
  InstanceType type_of_word(std::uint64_t word) {
    if (!is_reference(word)) return LiveLayout::type_limit;
    const auto index = map_of(untagged(word));
    return index == no_map ? LiveLayout::type_limit : maps_[index].type;
  }

  // Types that no symbol names, known by what refers to them.
  [[nodiscard]] InstanceType name_dictionary() const { return name_dictionary_; }

  // What it says itself; 0 when that is not known or cannot be.
  [[nodiscard]] std::uint64_t claimed_size(Address object, const LiveMap& map) const;
  // Up to the next object at most.
  [[nodiscard]] std::uint64_t extent(Address object, const LiveMap& map);

  // Calls visit(offset, word) for every strong reference in the object, its map's aside.
  template <class Visit>
  void each_slot(Address object, const LiveMap& map, std::uint64_t extent, Visit visit) const;

  // Share of the chunks' bytes (those that are not zero) that are objects.
  [[nodiscard]] std::uint32_t walked_permille() const {
    const auto all = object_bytes_ + gap_bytes_;
    return all == 0 ? 0 : static_cast<std::uint32_t>(object_bytes_ * 1000 / all);
  }

 private:
  MapIndex look_up(std::uint64_t word);
  void grow_table();
  [[nodiscard]] std::size_t hash(Address address) const {
    return static_cast<std::size_t>((address * 0x9e3779b97f4a7c15ULL) >> 32) & table_mask_;
  }
  std::uint64_t up_to_next_map(Address object, Address end);
  void find_meta_maps();
  void notice_table(Address object, const LiveMap& map);
  void name_tables();
  void learn_sizes();
  void learn_size(InstanceType type, const std::vector<Address>& samples);
  void walk(const std::vector<std::uint32_t>& pages_to_walk);
  // Returns the address where the walk goes on.
  Address walk_chunk(std::size_t first_page);
  std::uint64_t walked_size(Address object, const LiveMap& map, Address end);
  void walk_objects(LivePage* page, Address from, Address end, bool new_space);

  LiveMemory& memory_;
  LiveLayout& layout_;
  std::vector<Address> meta_maps_;  // ascending
  std::deque<LiveMap> maps_;        // references to its elements last
  std::vector<MapIndex> table_ = std::vector<MapIndex>(1 << 12, no_map);  // open addressing
  std::size_t table_mask_ = (1 << 12) - 1;
  std::uint64_t last_word_ = 0;
  MapIndex last_map_ = no_map;

  std::uint64_t object_bytes_ = 0;
  std::uint64_t gap_bytes_ = 0;
  std::unordered_map<InstanceType, std::vector<Address>> unsized_;  // samples, while learning
  bool learning_ = false;
  std::unordered_map<InstanceType, std::size_t> weak_tables_;   // votes
  std::unordered_map<InstanceType, std::size_t> dictionaries_;  // votes
  InstanceType name_dictionary_ = LiveLayout::type_limit;
};

template <class Visit>
void LiveObjects::each_slot(Address object, const LiveMap& map, std::uint64_t extent,
                            Visit visit) const {
  if (map.slots == Slots::none || map.slots == Slots::ephemerons) return;
  auto end = extent;
  if (map.slots == Slots::fields) end = std::min<std::uint64_t>(end, layout_.fields_end & ~7U);
  if (map.slots == Slots::native_context && end >= 16) end -= 8;
  const auto* bytes = memory_.at(object, end);
  if (bytes == nullptr) return;
  for (std::uint64_t offset = 8; offset + 8 <= end; offset += 8) {
    std::uint64_t word = 0;
    std::memcpy(&word, bytes + offset, sizeof word);
    if (!is_reference(word)) continue;
    const bool weak = (map.slots == Slots::weak_reference && offset == 24) ||
                      (map.slots == Slots::weak_cell && (offset == 16 || offset == 24)) ||
                      (map.slots == Slots::allocation_site && offset == 40);
    if (!weak) visit(offset, word);
  }
}

}  // namespace ebbtide
