// Answers: which socket of the target is which driven connection? The tracer knows the target's
// end, the driver its own; the port of the driver's end is in both.
#pragma once

#include <cstddef>
#include <cstdint>
#include <unordered_map>
#include <unordered_set>

#include "recording/run.h"

namespace ebbtide {

struct SocketJoin {
  std::uint64_t connected = 0;  // driven connections whose TCP handshake was done
  std::unordered_map<std::uint64_t, std::size_t> connection_of;  // resource id → connection index
  std::unordered_set<std::uint64_t>
      strangers;  // accepted sockets nobody here opened, born in a cycle

  // Whether the driver's connections can be told from others' at all. They cannot behind a proxy,
  // whose ports the target sees instead.
  [[nodiscard]] bool useful() const { return !connection_of.empty(); }
};

// A port serves several connections of a run: a socket belongs to the last one that began to
// connect from it before the socket was established.
SocketJoin join_sockets(const Recording& recording);

}  // namespace ebbtide
