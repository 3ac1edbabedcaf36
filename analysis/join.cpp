#include "analysis/join.h"

#include <algorithm>
#include <vector>

namespace ebbtide {

SocketJoin join_sockets(const Recording& recording) {
  SocketJoin join;
  const auto& connections = recording.connections;
  std::unordered_map<std::uint16_t, std::vector<std::size_t>> by_port;
  for (std::size_t i = 0; i < connections.size(); ++i) {
    if (connections[i].connected_ns == 0) continue;
    ++join.connected;
    by_port[connections[i].local_port].push_back(i);
  }
  const auto start = [&](std::size_t i) { return connections[i].start_ns; };
  for (auto& [port, indices] : by_port) std::ranges::sort(indices, {}, start);

  std::unordered_map<std::uint64_t, const Resource*> accepted;
  for (const Resource& resource : recording.resources) {
    if (resource.kind == ResourceKind::accepted_socket) accepted[resource.id] = &resource;
  }
  std::unordered_set<std::size_t> taken;
  for (const SocketLife& socket : recording.sockets) {
    const auto resource = accepted.find(socket.resource_id);
    if (resource == accepted.end()) continue;
    if (const auto ours = by_port.find(socket.remote_port); ours != by_port.end()) {
      const auto after = std::ranges::upper_bound(ours->second, socket.established_ns, {}, start);
      if (after != ours->second.begin() && taken.insert(*(after - 1)).second) {
        join.connection_of[socket.resource_id] = *(after - 1);
        continue;
      }
    }
    if (resource->second->birth_cycle > 0) join.strangers.insert(socket.resource_id);
  }
  return join;
}

}  // namespace ebbtide
