#include "cli/commands.h"

namespace ebbtide {

Result<int> run_command(const Command& command, const std::string& command_line) {
  if (const auto* leak = std::get_if<LeakOptions>(&command)) return run_leak(*leak, command_line);
  if (const auto* connections = std::get_if<ConnectionsOptions>(&command))
    return run_connections(*connections, command_line);
  if (const auto* broadcast = std::get_if<BroadcastOptions>(&command))
    return run_broadcast(*broadcast, command_line);
  if (const auto* profile = std::get_if<ProfileOptions>(&command)) return run_profile(*profile);
  if (const auto* report = std::get_if<ReportOptions>(&command)) return run_report(*report);
  if (const auto* compare = std::get_if<CompareOptions>(&command)) return run_compare(*compare);
  if (const auto* heap = std::get_if<HeapOptions>(&command)) return run_heap(*heap);
  if (const auto* review = std::get_if<ReviewOptions>(&command)) return run_review(*review);
  return run_doctor(std::get<DoctorOptions>(command));
}

}  // namespace ebbtide
