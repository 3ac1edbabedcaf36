#include "analysis/heap/live_isolates.h"

#include <algorithm>
#include <map>
#include <unordered_set>

namespace ebbtide {
namespace {

// A block of V8's global handles: 256 nodes {object, class id, index, state, …}.
constexpr std::size_t handle_nodes = 256;
constexpr std::size_t handle_size = 32;
constexpr std::size_t handle_index = 10;
constexpr std::size_t handle_state = 11;
constexpr unsigned handle_state_mask = 3;
constexpr unsigned handle_strong = 1;

constexpr std::uint32_t native_context_slots = 200;  // more than other contexts have

}  // namespace

// --- roots --------------------------------------------------------------------------------------

// By block: the nodes of one block are one isolate's.
std::vector<std::vector<Address>> LiveIsolates::read_handles(const HeapImage& image) const {
  std::vector<std::vector<Address>> blocks;
  for (const HeapRegion& region : image.regions) {
    if (region.chunk_aligned || region.bytes.size() < handle_nodes * handle_size) continue;
    std::vector<Address> block;
    for (std::size_t i = 0; i < handle_nodes; ++i) {
      const auto* node = region.bytes.data() + i * handle_size;
      std::uint64_t word = 0;
      std::memcpy(&word, node, sizeof word);
      const auto state = std::to_integer<unsigned>(node[handle_state]) & handle_state_mask;
      if (node[handle_index] != static_cast<std::byte>(i) || state != handle_strong) continue;
      if (is_reference(word) && memory_.page_of(untagged(word)) != nullptr) {
        block.push_back(untagged(word));
      }
    }
    if (!block.empty()) blocks.push_back(std::move(block));
  }
  return blocks;
}

// The contexts that are their own native context: their map says so.
std::vector<Address> LiveIsolates::find_native_contexts() {
  std::vector<Address> contexts;
  for (const LivePage& page : memory_.pages()) {
    for (auto word = page.starts.next(0); word < WordBits::words;
         word = page.starts.next(word + 1)) {
      const Address address = page.start + word * 8ULL;
      const auto map = objects_.map_of(address);
      if (map == no_map || !layout_.is_context(objects_.map(map).type)) continue;
      const auto owner = memory_.word(objects_.map(map).address + layout_.map_at.constructor);
      const auto length = memory_.word(address + 8);
      if (owner == address + 1 && is_smi(length) &&
          smi_value(length) >= static_cast<std::int32_t>(native_context_slots)) {
        contexts.push_back(address);
      }
    }
  }
  return contexts;
}

// --- marking ------------------------------------------------------------------------------------

std::uint16_t LiveIsolates::same_as(std::uint16_t isolate) {
  while (same_[isolate] != isolate) isolate = same_[isolate] = same_[same_[isolate]];
  return isolate;
}

void LiveIsolates::adopt(LivePage& page) {
  if (page.isolate == no_isolate) {
    page.isolate = current_;
  } else if (page.isolate != current_) {
    same_[same_as(page.isolate)] = same_as(current_);
  }
}

void LiveIsolates::push(std::uint64_t word) {
  const auto address = untagged(word);
  LivePage* page = memory_.page_of(address);
  if (page == nullptr || page->read_only || (address & 7) != 0) return;
  const auto place = LiveMemory::word_in_page(address);
  if (page->marks.get(place)) return;
  // The walk may have missed it, behind free memory that still looks like objects.
  if (!page->starts.get(place)) {
    if (!page->walked || objects_.map_of(address) == no_map) return;
    page->starts.set(place);
  }
  page->marks.set(place);
  adopt(*page);
  stack_.push_back(address);
}

// Inside an object that is held and knows its size, none begins: what the walk took for one was
// left behind.
void LiveIsolates::clear_false_starts(Address object, std::uint64_t claimed) {
  for (;;) {
    const auto next = memory_.next_start(object);
    if (next >= object + claimed) return;
    LivePage* page = memory_.page_of(next);
    const auto place = LiveMemory::word_in_page(next);
    if (page == nullptr || !page->starts.get(place) || page->marks.get(place)) return;
    page->starts.clear(place);
  }
}

bool LiveIsolates::drain() {
  while (!stack_.empty()) {
    const Address object = stack_.back();
    stack_.pop_back();
    const auto index = objects_.map_of(object);
    if (index == no_map) continue;
    const LiveMap map = objects_.map(index);
    push(memory_.word(object));
    if (map.type == layout_.js_weak_map || map.type == layout_.js_weak_set) {
      const auto table = memory_.word(object + layout_.collection_table);
      if (is_reference(table)) tables_.push_back(untagged(table));
    }
    clear_false_starts(object, objects_.claimed_size(object, map));
    const auto extent = objects_.extent(object, map);
    if (extent / 8 > words_left_) return false;
    words_left_ -= extent / 8;
    objects_.each_slot(object, map, extent, [&](std::uint64_t, std::uint64_t word) { push(word); });
  }
  return true;
}

bool LiveIsolates::mark_from(Address object, std::uint16_t isolate) {
  current_ = isolate;
  push(object + 1);
  return drain();
}

// To a fixpoint, since the value of one entry may hold the key of another, or for as long as the
// budget lasts: which objects are marked decides whose a page is, not what is reached.
void LiveIsolates::mark_tables() {
  for (bool grew = true; grew;) {
    grew = false;
    for (std::size_t i = 0; i < tables_.size(); ++i) {
      const Address table = tables_[i];
      const auto index = objects_.map_of(table);
      LivePage* page = memory_.page_of(table);
      if (index == no_map || page == nullptr || page->isolate == no_isolate) continue;
      current_ = same_as(page->isolate);
      const auto extent = objects_.extent(table, objects_.map(index));
      if (extent / 8 > words_left_) return;
      words_left_ -= extent / 8;
      // {…, key, value, …} from the fourth element on.
      for (std::uint64_t at = 16 + 24; at + 16 <= extent; at += 16) {
        const auto key = memory_.word(table + at);
        const auto value = memory_.word(table + at + 8);
        if (!is_reference(key) || !is_reference(value)) continue;
        const LivePage* key_page = memory_.page_of(untagged(key));
        if (key_page == nullptr ||
            !(key_page->read_only ||
              key_page->marks.get(LiveMemory::word_in_page(untagged(key))))) {
          continue;
        }
        push(value);
        grew = grew || !stack_.empty();
        if (!drain()) return;
      }
    }
  }
}

void LiveIsolates::label_unreached_pages() {
  for (LivePage& page : memory_.pages()) {
    if (page.isolate != no_isolate) {
      page.isolate = same_as(page.isolate);
      continue;
    }
    if (page.read_only || !page.walked) continue;
    // Nothing on it is held any more: the maps of what was say whose it is.
    for (auto word = page.starts.next(0); word < WordBits::words && page.isolate == no_isolate;
         word = page.starts.next(word + 1)) {
      const auto map = memory_.word(page.start + word * 8ULL);
      const LivePage* owner = is_reference(map) ? memory_.page_of(untagged(map)) : nullptr;
      if (owner != nullptr && !owner->read_only && owner->isolate != no_isolate) {
        page.isolate = same_as(owner->isolate);
      }
    }
    if (page.isolate == no_isolate) page.isolate = same_as(0);
  }
}

void LiveIsolates::collect_roots(std::span<const Address> contexts,
                                 const std::vector<std::vector<Address>>& handles) {
  std::map<std::uint16_t, std::uint16_t> places;
  std::vector<LiveRoots> roots;
  const auto of = [&](Address object) -> LiveRoots* {
    const LivePage* page = memory_.page_of(object);
    if (page == nullptr || page->isolate == no_isolate) return nullptr;
    const auto [place, fresh] =
        places.emplace(page->isolate, static_cast<std::uint16_t>(roots.size()));
    if (fresh) roots.emplace_back();
    return &roots[place->second];
  };
  for (const Address context : contexts) {
    if (auto* isolate = of(context)) isolate->native_contexts.push_back(context);
  }
  for (const auto& block : handles) {
    for (const Address object : block) {
      auto* isolate = of(object);
      if (isolate != nullptr && std::ranges::find(contexts, object) == contexts.end()) {
        isolate->handles.push_back(object);
      }
    }
  }
  for (LivePage& page : memory_.pages()) {
    const auto place = places.find(page.isolate);
    page.isolate = place == places.end() ? 0 : place->second;
  }
  roots_ = std::move(roots);
}

Result<void> LiveIsolates::find(const HeapImage& image) {
  const Error circles{"read the heap", "", "its references make no sense: they do not end", ""};
  for (const LivePage& page : memory_.pages()) words_left_ += page.length / 8;
  words_left_ *= 4;

  auto contexts = find_native_contexts();
  if (contexts.empty()) {
    return Error{"read the heap", "", "its layout is not understood: there is no native context",
                 ""};
  }
  // A context that no handle holds is kept by what was made in it, or garbage.
  const auto handles = read_handles(image);
  std::unordered_set<Address> held;
  for (const auto& block : handles) held.insert(block.begin(), block.end());
  if (contexts.size() >= no_isolate) contexts.resize(no_isolate - 1);
  const auto first_unheld =
      std::ranges::partition(contexts, [&](Address context) { return held.contains(context); });
  const std::vector<Address> unheld(first_unheld.begin(), first_unheld.end());
  contexts.erase(first_unheld.begin(), contexts.end());

  for (std::uint16_t i = 0; i < contexts.size(); ++i) same_.push_back(i);
  for (std::uint16_t i = 0; i < contexts.size(); ++i) {
    const LivePage* page = memory_.page_of(contexts[i]);
    const auto isolate = page->isolate == no_isolate ? i : same_as(page->isolate);
    if (!mark_from(contexts[i], isolate)) return circles;
  }
  // An isolate none of whose contexts is known to be held has its contexts for roots.
  for (const Address context : unheld) {
    LivePage* page = memory_.page_of(context);
    if (page->isolate != no_isolate) continue;
    contexts.push_back(context);
    same_.push_back(static_cast<std::uint16_t>(same_.size()));
    if (!mark_from(context, same_.back())) return circles;
  }
  for (const auto& block : handles) {
    std::map<std::uint16_t, std::size_t> votes;
    for (const Address object : block) {
      const LivePage* page = memory_.page_of(object);
      if (page->isolate != no_isolate) ++votes[same_as(page->isolate)];
    }
    const auto most =
        std::ranges::max_element(votes, {}, [](const auto& vote) { return vote.second; });
    const auto isolate = most == votes.end() ? std::uint16_t{0} : most->first;
    for (const Address object : block) {
      if (!mark_from(object, isolate)) return circles;
    }
  }
  mark_tables();
  label_unreached_pages();
  collect_roots(contexts, handles);
  return {};
}

}  // namespace ebbtide
