// Answers: what does each subcommand do? Each returns the exit status.
#pragma once

#include <string>

#include "cli/options.h"

namespace ebbtide {

int run_leak(const LeakOptions& options, const std::string& command_line);
int run_report(const ReportOptions& options);
int run_heap(const HeapOptions& options);
int run_doctor(const DoctorOptions& options);
int run_review(const ReviewOptions& options);

// Prints an Error as every command does: what failed, and on the next line what mends it.
int fail(const Error& error);

}  // namespace ebbtide
