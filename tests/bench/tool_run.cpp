#include "tests/bench/tool_run.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <spawn.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <chrono>
#include <cstring>

namespace ebbtide {
namespace {

double seconds_of(const timeval& time) {
  return static_cast<double>(time.tv_sec) + static_cast<double>(time.tv_usec) / 1e6;
}

bool is_verdict(int status) {
  if (!WIFEXITED(status)) return false;
  const int code = WEXITSTATUS(status);
  return code == 0 || code == 2 || code == 3;
}

Result<pid_t> start(const std::vector<std::string>& arguments) {
  std::vector<char*> argv;
  for (const std::string& argument : arguments) argv.push_back(const_cast<char*>(argument.c_str()));
  argv.push_back(nullptr);
  posix_spawn_file_actions_t actions;
  posix_spawn_file_actions_init(&actions);
  posix_spawn_file_actions_addopen(&actions, STDOUT_FILENO, "/dev/null", O_WRONLY, 0);
  pid_t pid = -1;
  const int code = posix_spawn(&pid, argv[0], &actions, nullptr, argv.data(), environ);
  posix_spawn_file_actions_destroy(&actions);
  if (code != 0) return Error{"start", arguments[0], std::strerror(code), ""};
  return pid;
}

}  // namespace

Result<ToolRun> run_tool(std::vector<std::string> arguments) {
  arguments.insert(arguments.begin(), BINARY_DIR "/ebbtide");
  return run_program(arguments);
}

Result<ToolRun> run_program(const std::vector<std::string>& command) {
  const auto began = std::chrono::steady_clock::now();
  const auto pid = start(command);
  if (!pid) return pid.error();
  int status = 0;
  rusage used{};
  if (wait4(*pid, &status, 0, &used) != *pid)
    return Error{"wait for", command[0], std::strerror(errno), ""};
  const std::chrono::duration<double> wall = std::chrono::steady_clock::now() - began;
  if (!is_verdict(status))
    return Error{"run", fmt::format("{}", fmt::join(command, " ")),
                 fmt::format("it ended with status {:#x}", status), ""};
  // The kernel's peak includes what this process had resident when it started the tool.
  rusage own{};
  getrusage(RUSAGE_SELF, &own);
  if (own.ru_maxrss >= used.ru_maxrss)
    return Error{"measure", command[0] + "'s memory", "this process was larger when it started it",
                 ""};
  return ToolRun{.wall_s = wall.count(),
                 .cpu_s = seconds_of(used.ru_utime) + seconds_of(used.ru_stime),
                 .peak_resident_mb = static_cast<double>(used.ru_maxrss) * 1024 / 1e6};
}

}  // namespace ebbtide
