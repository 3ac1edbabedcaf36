#include "cli/commands.h"
#include "cli/output.h"
#include "cli/record_run.h"

namespace ebbtide {

Result<int> run_connections(const ConnectionsOptions& options, const std::string& command_line) {
  const RunRequest request{.kind = RunKind::connections,
                           .options = options.run,
                           .doses = options.levels,
                           .tracing = {.event_loop = true}};
  const auto recording = record_run(request, command_line);
  if (!recording) return recording.error();
  return write_reports(*recording, options.run.output_directory, options.run.quiet);
}

}  // namespace ebbtide
