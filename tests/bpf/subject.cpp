#include "tests/bpf/subject.h"

#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <csignal>
#include <cstdlib>

namespace ebbtide {
namespace {

// Commands are action numbers in the map's order.
[[noreturn]] void serve(const Subject::Actions& actions, int commands, int results) {
  prctl(PR_SET_PDEATHSIG, SIGKILL);
  for (std::uint8_t number = 0; read(commands, &number, 1) == 1;) {
    const std::int64_t result = std::next(actions.begin(), number)->second();
    if (write(results, &result, sizeof result) != sizeof result) break;
  }
  _exit(0);
}

}  // namespace

Subject::Subject(const Actions& actions) {
  int commands[2], results[2];
  if (pipe(commands) != 0 || pipe(results) != 0) std::abort();
  pid_ = fork();
  if (pid_ == 0) {
    close(commands[1]);
    close(results[0]);
    serve(actions, commands[0], results[1]);
  }
  close(commands[0]);
  close(results[1]);
  to_child_ = commands[1];
  from_child_ = results[0];
  std::uint8_t number = 0;
  for (const auto& [name, action] : actions) numbers_[name] = number++;
}

Subject::~Subject() {
  close(to_child_);
  close(from_child_);
  kill(pid_, SIGKILL);
  waitpid(pid_, nullptr, 0);
}

std::int64_t Subject::run(const std::string& action) {
  const std::uint8_t number = numbers_.at(action);
  std::int64_t result = -1;
  if (write(to_child_, &number, 1) != 1) return -1;
  if (read(from_child_, &result, sizeof result) != sizeof result) return -1;
  return result;
}

void Subject::run_last(const std::string& action) {
  run(action);
  siginfo_t info;
  waitid(P_PID, static_cast<id_t>(pid_), &info, WEXITED | WNOWAIT);
}

}  // namespace ebbtide
