#include <filesystem>

#include "cli/commands.h"
#include "cli/output.h"

namespace ebbtide {

Result<int> run_report(const ReportOptions& options) {
  std::string directory = options.output_directory;
  if (directory.empty()) directory = std::filesystem::path(options.recording).parent_path();
  if (directory.empty()) directory = std::string(".");
  return write_reports(options.recording, directory, options.quiet);
}

}  // namespace ebbtide
