// Answers: which bytes of the target's address space are mapped, and which mmap call do they come
// from? Half-open intervals, split by partial unmaps; each keeps the id of its owner.
#pragma once

#include <cstdint>
#include <map>
#include <unordered_map>
#include <vector>

namespace ebbtide {

class IntervalMap {
 public:
  using Owner = std::uint64_t;

  struct Interval {
    std::uint64_t start = 0;
    std::uint64_t end = 0;
    bool operator==(const Interval&) const = default;
  };

  // Maps [start, start + length) for `owner`, in place of whatever was there.
  void map(std::uint64_t start, std::uint64_t length, Owner owner);

  // Unmaps [start, start + length); parts that are not mapped are passed over.
  void unmap(std::uint64_t start, std::uint64_t length);

  // Moves or resizes as mremap(2) does: the pieces keep their owners; what grows beyond the old
  // length belongs to `grown_owner`.
  void remap(std::uint64_t old_start, std::uint64_t old_length, std::uint64_t new_start,
             std::uint64_t new_length, Owner grown_owner);

  // Makes the map equal to `truth` (ascending, disjoint): bytes not in it are unmapped, bytes new
  // to the map belong to `newcomer`. Returns how many bytes were wrong, in both directions.
  std::uint64_t reconcile(const std::vector<Interval>& truth, Owner newcomer);

  [[nodiscard]] std::uint64_t total_bytes() const { return total_bytes_; }
  [[nodiscard]] std::uint64_t bytes_of(Owner owner) const;
  [[nodiscard]] const std::unordered_map<Owner, std::uint64_t>& bytes_by_owner() const {
    return bytes_by_owner_;
  }

 private:
  struct Piece {
    std::uint64_t end = 0;
    Owner owner = 0;
  };

  void insert(std::uint64_t start, std::uint64_t end, Owner owner);
  void split_at(std::uint64_t address);
  void account(Owner owner, std::uint64_t bytes, bool added);

  std::map<std::uint64_t, Piece> pieces_;                    // by start
  std::unordered_map<Owner, std::uint64_t> bytes_by_owner_;  // owners with bytes left only
  std::uint64_t total_bytes_ = 0;
};

}  // namespace ebbtide
