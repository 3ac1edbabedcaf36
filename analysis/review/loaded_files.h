// Answers: which of these files does a program load that begins with one of them? A project holds
// more than one process runs: other services, tools, examples.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "analysis/review/modules.h"
#include "recording/source_file.h"

namespace ebbtide {

// The files reached from `entry` (a path of one of them) by imports and requires, in their order.
// nullopt when a call names its module by something else than a text, as loaders of whole
// directories do, or when `entry` is none of them: then any file may be loaded.
std::optional<std::vector<SourceFile>> loaded_files(const std::vector<SourceFile>& files,
                                                    const std::vector<PathMapping>& mappings,
                                                    std::string_view entry);

}  // namespace ebbtide
