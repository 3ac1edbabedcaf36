#include <filesystem>

#include "cli/commands.h"
#include "cli/output.h"

namespace ebbtide {

int run_report(const ReportOptions& options) {
  std::string directory = options.output_directory;
  if (directory.empty()) directory = std::filesystem::path(options.recording).parent_path();
  if (directory.empty()) directory = std::string(".");
  const auto status = write_reports(options.recording, directory, options.quiet);
  return status ? *status : fail(status.error());
}

}  // namespace ebbtide
