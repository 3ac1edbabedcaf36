// Answers: how many of a cycle's connections did the traced processes hold? A worker of a cluster
// that is traced alone holds only those it was dealt.
#pragma once

#include <cstdint>
#include <map>

#include "recording/run.h"

namespace ebbtide {

struct Holders {
  std::uint64_t traced = 0;     // connections seen in a traced process while they were up
  std::uint64_t elsewhere = 0;  // those that only others had

  [[nodiscard]] std::uint64_t seen() const { return traced + elsewhere; }
  // A tenth is where "each connection" stops being true.
  [[nodiscard]] bool shared() const { return elsewhere * 10 > seen(); }
};

Holders find_holders(const Recording& recording);

// Of each cycle's connections the share that the traced processes held: 1 where it was not looked
// up, or hardly any were elsewhere.
std::map<std::uint32_t, double> held_shares(const Recording& recording);

}  // namespace ebbtide
