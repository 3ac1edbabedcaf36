// Answers: which scripts do a snapshot's locations lie in? The file gives numbers; names are found
// by way of the closures.
#pragma once

#include "analysis/heap/json_scanner.h"
#include "analysis/heap/snapshot_contents.h"

namespace ebbtide {

// Fills `scripts` and makes each location's script a place in it. Of contents as they were read.
void find_scripts(SnapshotContents& contents, JsonScanner& scanner);

}  // namespace ebbtide
