// ebbtide: does a running server give back everything its connections took?
#include <fmt/format.h>

#include <cstdio>
#include <exception>

#include "analysis/report/escape.h"
#include "cli/commands.h"
#include "cli/exit_code.h"
#include "cli/options.h"

namespace ebbtide {

namespace {

// What failed, and on the next line what mends it.
int fail(const Error& error) {
  fmt::print(stderr, "ebbtide: {}\n", clean_text(error.message(), 1000));
  if (!error.remedy.empty()) fmt::print(stderr, "  {}\n", clean_text(error.remedy, 1000));
  return exit_failed;
}

int run(int argc, char** argv) {
  const auto parsed = parse_command_line(argc, argv);
  if (const auto* answer = std::get_if<Answer>(&parsed)) {
    fmt::print(answer->exit_code == exit_ok ? stdout : stderr, "{}", answer->text);
    return answer->exit_code;
  }
  const auto status = run_command(std::get<Command>(parsed), quote_command_line(argc, argv));
  return status ? *status : fail(status.error());
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
