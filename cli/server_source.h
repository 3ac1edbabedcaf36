// Answers: where does the source of a server lie, when nobody says? Beside the script that its
// process was started with.
#pragma once

#include <cstdint>
#include <string>

#include "cli/source_tree.h"
#include "recording/result.h"

namespace ebbtide {

// The files that the JavaScript process loads, by its imports, from the package its main script
// belongs to (the nearest package.json above); that script alone when there is no package. Paths
// are relative to the package. A process in a container is looked at through /proc/PID/root.
// Errors: its command line names no script that can be read.
Result<SourceTree> read_server_source(std::int32_t pid);

}  // namespace ebbtide
