// Answers: what do a snapshot's contents mean? V8's own words in it become the graph's terms: which
// roots are handles, what is held weakly or listed twice, how much a container holds.
#pragma once

#include "analysis/heap/graph.h"
#include "analysis/heap/json_scanner.h"
#include "analysis/heap/snapshot_contents.h"

namespace ebbtide {

// The scanner is needed for strings that nobody knew to be wanted.
HeapGraph make_graph(SnapshotContents contents, JsonScanner& scanner);

}  // namespace ebbtide
