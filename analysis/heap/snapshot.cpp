#include "analysis/heap/snapshot.h"

#include "analysis/heap/snapshot_contents.h"
#include "analysis/heap/snapshot_meaning.h"

namespace ebbtide {

Result<Snapshot> read_snapshot(const std::string& path,
                               std::span<const std::uint64_t> earlier_max_ids) {
  auto scanner = JsonScanner::open(path);
  if (!scanner) return scanner.error();
  SnapshotContents contents;
  if (!SnapshotReader(*scanner, earlier_max_ids).read(contents)) return scanner->error();
  Snapshot snapshot{.graph = {}, .max_id = contents.max_id};
  snapshot.graph = make_graph(std::move(contents), *scanner);
  return snapshot;
}

}  // namespace ebbtide
