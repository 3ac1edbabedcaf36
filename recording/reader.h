// Answers: what does this recording file say? Reads any file the writer left, a killed run's too.
#pragma once

#include <string>

#include "recording/result.h"
#include "recording/run.h"

namespace ebbtide {

// Reads the whole file, also one of an older schema version: what that did not know is empty.
// Errors: no such file, no recording, a newer schema version (who wrote it is named), a damaged
// file.
Result<Recording> read_recording(const std::string& path);

}  // namespace ebbtide
