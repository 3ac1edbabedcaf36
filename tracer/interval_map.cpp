#include "tracer/interval_map.h"

#include <algorithm>
#include <iterator>

namespace ebbtide {

void IntervalMap::account(Owner owner, std::uint64_t bytes, bool added) {
  if (added) {
    bytes_by_owner_[owner] += bytes;
    total_bytes_ += bytes;
    return;
  }
  const auto entry = bytes_by_owner_.find(owner);
  entry->second -= bytes;
  if (entry->second == 0) bytes_by_owner_.erase(entry);
  total_bytes_ -= bytes;
}

// Afterwards no piece straddles `address`.
void IntervalMap::split_at(std::uint64_t address) {
  auto next = pieces_.lower_bound(address);
  if (next == pieces_.begin()) return;
  auto& [start, piece] = *std::prev(next);
  if (piece.end <= address) return;
  pieces_.emplace_hint(next, address, Piece{piece.end, piece.owner});
  piece.end = address;
}

void IntervalMap::insert(std::uint64_t start, std::uint64_t end, Owner owner) {
  pieces_.emplace(start, Piece{end, owner});
  account(owner, end - start, true);
}

void IntervalMap::unmap(std::uint64_t start, std::uint64_t length) {
  if (length == 0) return;
  const std::uint64_t end = start + length;
  split_at(start);
  split_at(end);
  const auto first = pieces_.lower_bound(start);
  const auto last = pieces_.lower_bound(end);
  for (auto it = first; it != last; ++it)
    account(it->second.owner, it->second.end - it->first, false);
  pieces_.erase(first, last);
}

void IntervalMap::map(std::uint64_t start, std::uint64_t length, Owner owner) {
  if (length == 0) return;
  unmap(start, length);
  insert(start, start + length, owner);
}

void IntervalMap::remap(std::uint64_t old_start, std::uint64_t old_length, std::uint64_t new_start,
                        std::uint64_t new_length, Owner grown_owner) {
  struct Moved {
    std::uint64_t offset, length;
    Owner owner;
  };
  std::vector<Moved> moved;
  const std::uint64_t kept = std::min(old_length, new_length);
  split_at(old_start);
  split_at(old_start + kept);
  for (auto it = pieces_.lower_bound(old_start);
       it != pieces_.end() && it->first < old_start + kept; ++it)
    moved.push_back({it->first - old_start, it->second.end - it->first, it->second.owner});
  unmap(old_start, old_length);
  unmap(new_start, new_length);
  for (const Moved& piece : moved)
    insert(new_start + piece.offset, new_start + piece.offset + piece.length, piece.owner);
  if (new_length > kept) insert(new_start + kept, new_start + new_length, grown_owner);
}

std::uint64_t IntervalMap::reconcile(const std::vector<Interval>& truth, Owner newcomer) {
  std::vector<Interval> missing, surplus;
  std::uint64_t wrong = 0;
  std::uint64_t gap_start = 0;  // where the truth's current gap began
  const auto collect_surplus = [&](std::uint64_t from, std::uint64_t to) {
    split_at(from);
    split_at(to);
    for (auto it = pieces_.lower_bound(from); it != pieces_.end() && it->first < to; ++it)
      surplus.push_back({it->first, it->second.end});
  };
  for (const Interval& range : truth) {
    collect_surplus(gap_start, range.start);
    std::uint64_t covered = range.start;
    split_at(range.start);
    for (auto it = pieces_.lower_bound(range.start); it != pieces_.end() && it->first < range.end;
         ++it) {
      if (it->first > covered) missing.push_back({covered, it->first});
      covered = std::min(it->second.end, range.end);
    }
    if (covered < range.end) missing.push_back({covered, range.end});
    gap_start = range.end;
  }
  collect_surplus(gap_start, UINT64_MAX);
  for (const Interval& range : surplus) {
    wrong += range.end - range.start;
    unmap(range.start, range.end - range.start);
  }
  for (const Interval& range : missing) {
    wrong += range.end - range.start;
    insert(range.start, range.end, newcomer);
  }
  return wrong;
}

std::uint64_t IntervalMap::bytes_of(Owner owner) const {
  const auto entry = bytes_by_owner_.find(owner);
  return entry == bytes_by_owner_.end() ? 0 : entry->second;
}

}  // namespace ebbtide
