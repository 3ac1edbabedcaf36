#include "analysis/heap/live_objects.h"

#include <algorithm>
#include <array>
#include <optional>

namespace ebbtide {
namespace {

using Length = SizeRule::Length;

constexpr std::uint64_t chunk = LiveMemory::page_size;
constexpr std::size_t sample_size = 64;  // instances per type to learn its size from
constexpr std::size_t pages_to_learn_from = 192;

constexpr std::uint64_t round_up(std::uint64_t value) { return (value + 7) & ~std::uint64_t{7}; }

// What the first words of a chunk say. Node 18 and 20 begin with {size, flags, heap, area_start},
// 22 with {flags, itself, size, heap, area_start}, 24 and later with {flags, pointer} and objects.
struct ChunkHeader {
  std::uint64_t flags = 0;
  std::uint64_t size = chunk;
  Address first_object = 0;

  static constexpr std::uint64_t from = 8;
  static constexpr std::uint64_t to = 16;
  [[nodiscard]] bool new_space() const { return (flags & (from | to)) != 0; }
  // Left behind by the last scavenge: objects that live elsewhere since.
  [[nodiscard]] bool from_space() const { return (flags & from) != 0 && (flags & to) == 0; }
};

std::optional<ChunkHeader> read_header(const LiveMemory& memory, Address start) {
  std::array<std::uint64_t, 5> words{};
  const auto* bytes = memory.at(start, sizeof words);
  if (bytes == nullptr) return std::nullopt;
  std::memcpy(words.data(), bytes, sizeof words);
  if (words[0] == 0 || words[0] >> 32 != 0) return std::nullopt;

  constexpr std::uint64_t longest_header = 0x8000;
  const auto begins_area = [&](Address area) {
    return area > start && area < start + longest_header && area % 8 == 0;
  };
  const bool sized_first = words[0] >= 0x1000 && words[0] % 0x1000 == 0 && begins_area(words[3]);
  if (sized_first) return ChunkHeader{words[1], words[0], words[3]};
  if (words[1] == start && begins_area(words[4])) return ChunkHeader{words[0], words[2], words[4]};
  return ChunkHeader{words[0], chunk, start + 16};
}

}  // namespace

// --- maps ---------------------------------------------------------------------------------------

void LiveObjects::find_meta_maps() {
  for (const LivePage& page : memory_.pages()) {
    for (std::uint64_t offset = 0; offset + 80 <= page.length; offset += 8) {
      std::uint64_t word = 0;
      std::memcpy(&word, page.bytes + offset, sizeof word);
      if (word != (page.start + offset) + 1) continue;
      const auto address = page.start + offset;
      const auto words = memory_.read<std::uint8_t>(address + 8);
      if (memory_.read<InstanceType>(address + 12) == layout_.map && words >= 8 && words <= 16) {
        meta_maps_.push_back(address);
      }
    }
  }
}

MapIndex LiveObjects::look_up(std::uint64_t word) {
  const auto address = untagged(word);
  auto slot = hash(address);
  for (; table_[slot] != no_map; slot = (slot + 1) & table_mask_) {
    if (maps_[table_[slot]].address != address) continue;
    last_word_ = word;
    return last_map_ = table_[slot];
  }
  const auto meta = memory_.word(address);
  if (!is_reference(meta) || !std::ranges::binary_search(meta_maps_, untagged(meta))) return no_map;
  LiveMap map;
  map.address = address;
  map.type = memory_.read<InstanceType>(address + 12);
  map.words = memory_.read<std::uint8_t>(address + 8);
  map.slots = layout_.type(map.type).slots;
  map.receiver = layout_.is_receiver(map.type);
  const auto bits = memory_.read<std::uint32_t>(address + 16);
  map.dictionary = map.receiver && (bits >> layout_.dictionary_map_shift & 1) != 0;
  maps_.push_back(map);
  const auto index = static_cast<MapIndex>(maps_.size() - 1);
  table_[slot] = index;
  if (maps_.size() * 2 > table_.size()) grow_table();
  last_word_ = word;
  return last_map_ = index;
}

void LiveObjects::grow_table() {
  table_.assign(table_.size() * 2, no_map);
  table_mask_ = table_.size() - 1;
  for (MapIndex index = 0; index < maps_.size(); ++index) {
    auto slot = hash(maps_[index].address);
    while (table_[slot] != no_map) slot = (slot + 1) & table_mask_;
    table_[slot] = index;
  }
}

// --- sizes --------------------------------------------------------------------------------------

std::uint64_t LiveObjects::claimed_size(Address object, const LiveMap& map) const {
  if (map.words != 0) {
    const auto size = map.words * std::uint64_t{8};
    return memory_.at(object, size) != nullptr ? size : 0;
  }
  const SizeRule& rule = layout_.type(map.type).size;
  std::uint64_t length = 0;
  switch (rule.length) {
    case Length::unknown:
      return 0;
    case Length::smi_at_8:
    case Length::hash_at_8: {
      const auto word = memory_.word(object + 8);
      if (!is_smi(word) || smi_value(word) < 0) return 0;
      length = static_cast<std::uint64_t>(smi_value(word));
      if (rule.length == Length::hash_at_8) length &= 0x3ff;
      break;
    }
    case Length::int32_at_8:
      length = memory_.read<std::uint32_t>(object + 8);
      break;
    case Length::feedback:
      length = (memory_.read<std::uint32_t>(object + 8) + 5) / 6;
      break;
    case Length::int32_at_12:
      length = memory_.read<std::uint32_t>(object + 12);
      break;
    case Length::uint16_at_8:
      length = memory_.read<std::uint16_t>(object + 8);
      break;
    case Length::bigint_at_8:
      length = memory_.read<std::uint32_t>(object + 8) >> 1;
      break;
  }
  const auto size = round_up(rule.base + length * rule.scale);
  return size >= 8 && memory_.at(object, size) != nullptr ? size : 0;
}

std::uint64_t LiveObjects::extent(Address object, const LiveMap& map) {
  const auto room = memory_.next_start(object) - object;
  const auto claimed = claimed_size(object, map);
  return claimed == 0 ? up_to_next_map(object, object + room) : std::min(claimed, room);
}

// Free memory has a map too, though it is no object: behind it lie words of what was there.
std::uint64_t LiveObjects::up_to_next_map(Address object, Address end) {
  std::uint64_t size = 16;
  while (object + size + 8 <= end && map_of(object + size) == no_map) size += 8;
  return std::min(size, end - object);
}

// For types that no symbol describes: the rule by which, wherever one of them was met, another
// object begins where it ends.
void LiveObjects::learn_size(InstanceType type, const std::vector<Address>& samples) {
  SizeRule best;
  std::size_t most_hits = 0;
  SizeRule& rule = layout_.types[type].size;
  const auto try_rule = [&](SizeRule candidate) {
    rule = candidate;
    LiveMap map;
    map.type = type;
    std::size_t hits = 0;
    for (const Address sample : samples) {
      const auto size = claimed_size(sample, map);
      if (size < 16) continue;
      const auto end = sample + size;
      if (end % chunk == 0 || map_of(end) != no_map) ++hits;
    }
    if (hits > most_hits) {
      most_hits = hits;
      best = candidate;
    }
  };
  try_rule({Length::smi_at_8, 0, 1});  // free memory, in bytes or in words
  try_rule({Length::smi_at_8, 0, 8});
  for (const auto length : {Length::smi_at_8, Length::int32_at_8, Length::int32_at_12}) {
    for (const std::uint8_t base : {16, 24, 32, 40, 48, 56, 64}) {
      for (const std::uint8_t scale : {8, 1, 2, 4, 16, 24}) try_rule({length, base, scale});
    }
  }
  rule = most_hits * 10 >= samples.size() * 9 ? best : SizeRule{};
}

void LiveObjects::learn_sizes() {
  std::vector<std::uint32_t> sample;
  const auto& pages = memory_.pages();
  const auto step = pages.size() / pages_to_learn_from + 1;
  for (std::uint32_t i = 0; i < pages.size(); i += static_cast<std::uint32_t>(step)) {
    if (!pages[i].continued) sample.push_back(i);
  }
  learning_ = true;
  walk(sample);
  learning_ = false;
  for (const auto& [type, samples] : unsized_) {
    if (type < LiveLayout::type_limit - 1) learn_size(type, samples);
  }
  unsized_.clear();
}

// --- tables -------------------------------------------------------------------------------------

void LiveObjects::notice_table(Address object, const LiveMap& map) {
  const bool weak = map.type == layout_.js_weak_map || map.type == layout_.js_weak_set;
  if (weak) {
    ++weak_tables_[type_of_word(memory_.word(object + layout_.collection_table))];
  } else if (map.dictionary && map.type != layout_.global_object) {
    ++dictionaries_[type_of_word(memory_.word(object + 8))];
  }
}

void LiveObjects::name_tables() {
  const auto array = [&](InstanceType type) {
    return type < LiveLayout::type_limit && layout_.type(type).kind == NodeKind::array;
  };
  const auto elected = [&](const auto& votes) {
    InstanceType winner = LiveLayout::type_limit;
    std::size_t most = 0;
    for (const auto& [type, count] : votes) {
      if (count > most && array(type)) {
        winner = type;
        most = count;
      }
    }
    return winner;
  };
  name_dictionary_ = elected(dictionaries_);
  const auto weak_table = elected(weak_tables_);
  if (weak_table == LiveLayout::type_limit) return;
  layout_.types[weak_table].slots = Slots::ephemerons;
  for (LiveMap& map : maps_) {
    if (map.type == weak_table) map.slots = Slots::ephemerons;
  }
}

// --- the walk -----------------------------------------------------------------------------------

// What it says itself, or up to where the next object begins.
std::uint64_t LiveObjects::walked_size(Address object, const LiveMap& map, Address end) {
  const auto size = claimed_size(object, map);
  if (size != 0 && object + size <= end) return size;
  if (learning_ && map.words == 0) {
    auto& samples = unsized_[map.type];
    if (samples.size() < sample_size) samples.push_back(object);
  }
  return up_to_next_map(object, end);
}

// A chunk's objects begin in its first page; what follows is the rest of one large object.
void LiveObjects::walk_objects(LivePage* page, Address from, Address end, bool new_space) {
  const Address page_end = page->start + page->length;
  for (Address at = from; at + 8 <= std::min(end, page_end);) {
    const auto word = memory_.word(at);
    const auto index = map_of_word(word);
    if (index == no_map) {
      // Young pages are full of what earlier scavenges have left.
      if (word != 0 && !new_space && !learning_) gap_bytes_ += 8;
      at += 8;
      continue;
    }
    const LiveMap& map = maps_[index];
    const TypeLayout& type = layout_.type(map.type);
    const auto size = walked_size(at, map, end);
    if (!learning_) {
      object_bytes_ += size;
      const bool free_space = type.size.length == Length::smi_at_8 && type.size.base == 0;
      const bool filler = map.words != 0 && map.words <= 2 && type.name.empty() &&
                          map.type >= layout_.first_nonstring;
      if (!free_space && !filler) page->starts.set(LiveMemory::word_in_page(at));
      if (map.receiver) notice_table(at, map);
    }
    at += size;
  }
}

Address LiveObjects::walk_chunk(std::size_t first_page) {
  auto& pages = memory_.pages();
  LivePage& page = pages[first_page];
  const auto next = page.start + chunk;
  const auto header = read_header(memory_, page.start);
  if (!header) return next;
  if (header->first_object >= page.start + page.length) return next;
  auto end = page.start + std::min(std::max(header->size, std::uint64_t{16}), page.room);
  const auto first = map_of(header->first_object);
  if (first != no_map && header->size == chunk) {  // Node 24 and later: only the object knows
    const auto size = claimed_size(header->first_object, maps_[first]);
    if (header->first_object + size > end) {
      end = std::min(header->first_object + size, page.start + page.room);
    }
  }
  end = std::max(end, std::min(next, page.start + page.room));
  const auto after = (end + chunk - 1) / chunk * chunk;
  if (header->from_space()) return after;
  for (auto i = first_page; i < pages.size() && pages[i].start < end; ++i) pages[i].walked = true;
  walk_objects(&page, header->first_object, end, header->new_space());
  return after;
}

void LiveObjects::walk(const std::vector<std::uint32_t>& pages_to_walk) {
  const auto& pages = memory_.pages();
  Address go_on = 0;
  for (const auto i : pages_to_walk) {
    if (pages[i].start >= go_on) go_on = walk_chunk(i);
  }
}

Result<void> LiveObjects::find() {
  find_meta_maps();
  if (meta_maps_.empty()) {
    return Error{"read the heap", "", "its layout is not understood: no map is its own map", ""};
  }
  learn_sizes();
  std::vector<std::uint32_t> all(memory_.pages().size());
  for (std::uint32_t i = 0; i < all.size(); ++i) all[i] = i;
  walk(all);
  name_tables();
  return {};
}

}  // namespace ebbtide
