#include "analysis/heap/graph.h"

#include <algorithm>

namespace ebbtide {

const HeapLocation* HeapGraph::location_of(NodeIndex node) const {
  const auto found = std::ranges::lower_bound(locations, node, {}, &HeapLocation::node);
  return found != locations.end() && found->node == node ? &*found : nullptr;
}

std::uint32_t HeapGraph::entries_of(NodeIndex node) const {
  const auto found = std::ranges::lower_bound(containers, node, {}, &ContainerSize::node);
  return found != containers.end() && found->node == node ? found->entries : 0;
}

}  // namespace ebbtide
