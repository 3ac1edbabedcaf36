#include "cli/commands.h"
#include "cli/output.h"
#include "cli/record_run.h"

namespace ebbtide {

Result<int> run_broadcast(const BroadcastOptions& options, const std::string& command_line) {
  const RunRequest request{.kind = RunKind::broadcast,
                           .options = options.run,
                           .doses = {options.clients},
                           .tracing = {.event_loop = true, .upstream = true},
                           .trigger = &options.trigger};
  const auto recording = record_run(request, command_line);
  if (!recording) return recording.error();
  return write_reports(*recording, options.run.output_directory, options.run.quiet);
}

}  // namespace ebbtide
