// Answers: which mmap calls do the mapped bytes of one process come from, and which of those have
// not been given back? Rebuilt from events, corrected by the kernel's own list at settle points.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <string>
#include <unordered_map>
#include <vector>

#include "bpf/event.h"
#include "recording/run.h"
#include "tracer/interval_map.h"

namespace ebbtide {

class AddressSpace {
 public:
  using Sink = std::function<void(Record)>;
  struct Births {
    std::uint64_t count = 0;
    std::uint64_t bytes = 0;
  };

  // Mappings are numbered from `first_number` + 1 on.
  AddressSpace(std::int32_t pid, std::uint64_t first_number, Sink sink);

  // What is mapped already: no births are recorded for it. `heap_end` is the program break, 0 when
  // there is no [heap].
  void seed(const std::vector<IntervalMap::Interval>& mappings, std::uint64_t heap_end);

  void take(const ebb_mapping_event& event);

  // Makes the rebuilt mappings the kernel's; returns how many bytes were wrong.
  std::uint64_t reconcile(const std::vector<IntervalMap::Interval>& truth, std::uint32_t epoch,
                          std::uint64_t now_ns);

  // Writes a row for each mapping that is new, changed or gone since the last time.
  void write(std::uint64_t now_ns);

  [[nodiscard]] std::uint64_t total_bytes() const { return mapped_.total_bytes(); }
  [[nodiscard]] Births born_in(std::uint32_t cycle) const;

 private:
  struct Mapping {
    Resource resource;
    bool written = false;
  };

  IntervalMap::Owner new_mapping(std::uint32_t epoch, std::uint64_t birth_ns,
                                 std::uint64_t stack_id, std::string label);
  void move_break(std::uint64_t address, IntervalMap::Owner owner);
  void drop_dead(std::uint64_t now_ns);

  std::int32_t pid_;
  Sink sink_;
  std::uint64_t page_bytes_;
  IntervalMap mapped_;
  std::uint64_t heap_end_ = 0;
  IntervalMap::Owner last_owner_;
  std::unordered_map<IntervalMap::Owner, Mapping> alive_;  // born in this run; some may have died
  std::size_t sweep_at_;                                   // its size at which the dead are dropped
  std::unordered_map<std::uint32_t, Births> births_;       // by cycle
};

}  // namespace ebbtide
