// Answers: how much do a snapshot's containers hold, and which backing stores repeat what their
// owners list?
#pragma once

#include <vector>

#include "analysis/heap/snapshot_contents.h"

namespace ebbtide {

struct SnapshotContainers {
  std::vector<ContainerSize> sizes;      // ascending by node
  std::vector<bool> is_listed_by_owner;  // by node: elements, whose owner has an edge to each
};

// Of contents whose nodes have their names already, their edges not.
SnapshotContainers find_containers(const SnapshotContents& contents);

}  // namespace ebbtide
