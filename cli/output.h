// Answers: how do reports get to disk without ever leaving half a file in place of a good one?
#pragma once

#include <string>

#include "recording/result.h"

namespace ebbtide {

// Makes the directory (and its parents) and checks that files can be created in it.
Result<void> prepare_directory(const std::string& directory);

// Writes beside `path` and renames over it.
Result<void> write_file(const std::string& path, const std::string& content);

// Renames, replacing.
Result<void> move_file(const std::string& from, const std::string& to);

// Reads the recording, writes the reports into `directory`, prints the verdict and (unless quiet)
// where they lie. Returns the exit status of the verdict.
Result<int> write_reports(const std::string& recording, const std::string& directory, bool quiet);

}  // namespace ebbtide
