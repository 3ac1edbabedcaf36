// Answers: what does each subcommand do? Each returns the exit status, or why it could not be done.
#pragma once

#include <string>

#include "cli/options.h"
#include "recording/result.h"

namespace ebbtide {

Result<int> run_leak(const LeakOptions& options, const std::string& command_line);
Result<int> run_connections(const ConnectionsOptions& options, const std::string& command_line);
Result<int> run_broadcast(const BroadcastOptions& options, const std::string& command_line);
Result<int> run_profile(const ProfileOptions& options);
Result<int> run_report(const ReportOptions& options);
Result<int> run_compare(const CompareOptions& options);
Result<int> run_heap(const HeapOptions& options);
Result<int> run_doctor(const DoctorOptions& options);
Result<int> run_review(const ReviewOptions& options);

// Does the command; `command_line` is how the person called it.
Result<int> run_command(const Command& command, const std::string& command_line);

}  // namespace ebbtide
