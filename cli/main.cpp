// ebbtide: does a running server give back everything its connections took?
#include <fmt/format.h>

#include <cstdio>
#include <exception>

#include "analysis/report/escape.h"
#include "cli/commands.h"
#include "cli/exit_code.h"
#include "cli/options.h"

namespace ebbtide {

int fail(const Error& error) {
  fmt::print(stderr, "ebbtide: {}\n", clean_text(error.message(), 1000));
  if (!error.remedy.empty()) fmt::print(stderr, "  {}\n", clean_text(error.remedy, 1000));
  return exit_failed;
}

namespace {

int run(int argc, char** argv) {
  const auto parsed = parse_command_line(argc, argv);
  if (const auto* answer = std::get_if<Answer>(&parsed)) {
    fmt::print(answer->exit_code == exit_ok ? stdout : stderr, "{}", answer->text);
    return answer->exit_code;
  }
  const Command& command = std::get<Command>(parsed);
  if (const auto* leak = std::get_if<LeakOptions>(&command))
    return run_leak(*leak, quote_command_line(argc, argv));
  if (const auto* report = std::get_if<ReportOptions>(&command)) return run_report(*report);
  if (const auto* heap = std::get_if<HeapOptions>(&command)) return run_heap(*heap);
  if (const auto* review = std::get_if<ReviewOptions>(&command)) return run_review(*review);
  return run_doctor(std::get<DoctorOptions>(command));
}

}  // namespace
}  // namespace ebbtide

int main(int argc, char** argv) {
  try {
    return ebbtide::run(argc, argv);
  } catch (const std::exception& error) {
    fmt::print(stderr, "ebbtide: internal error: {}\n", error.what());
    return ebbtide::exit_failed;
  }
}
