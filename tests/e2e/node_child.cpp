#include "tests/e2e/node_child.h"

#include <fcntl.h>
#include <net/if.h>
#include <sched.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <csignal>
#include <cstdlib>
#include <cstring>
#include <stdexcept>

namespace ebbtide {
namespace {

bool raise_loopback() {
  const int socket_fd = socket(AF_INET, SOCK_DGRAM, 0);
  ifreq request{};
  std::strcpy(request.ifr_name, "lo");
  request.ifr_flags = IFF_UP | IFF_RUNNING;
  const bool raised = ioctl(socket_fd, SIOCSIFFLAGS, &request) == 0;
  close(socket_fd);
  return raised;
}

bool enter_namespace(pid_t neighbour) {
  if (neighbour == 0) return unshare(CLONE_NEWNET) == 0 && raise_loopback();
  const auto path = "/proc/" + std::to_string(neighbour) + "/ns/net";
  const int fd = open(path.c_str(), O_RDONLY | O_CLOEXEC);
  return fd >= 0 && setns(fd, CLONE_NEWNET) == 0;
}

}  // namespace

Child::Child(const std::vector<std::string>& command, pid_t neighbour) {
  std::array<int, 2> input{};
  std::array<int, 2> output{};
  if (pipe2(input.data(), O_CLOEXEC) != 0 || pipe2(output.data(), O_CLOEXEC) != 0) {
    throw std::runtime_error("pipe");
  }
  pid_ = fork();
  if (pid_ < 0) throw std::runtime_error("fork");
  if (pid_ == 0) {
    std::vector<char*> arguments;
    for (const auto& argument : command) arguments.push_back(const_cast<char*>(argument.c_str()));
    arguments.push_back(nullptr);
    dup2(input[0], STDIN_FILENO);
    dup2(output[1], STDOUT_FILENO);
    dup2(open("/dev/null", O_WRONLY), STDERR_FILENO);
    if (enter_namespace(neighbour)) execvp(arguments[0], arguments.data());
    _exit(127);
  }
  close(input[0]);
  close(output[1]);
  input_ = input[1];
  output_ = output[0];
}

Child::~Child() {
  kill();
  close(input_);
  close(output_);
}

void Child::kill() {
  if (pid_ <= 0) return;
  ::kill(pid_, SIGKILL);
  waitpid(pid_, nullptr, 0);
  pid_ = -1;
}

bool Child::running() { return pid_ > 0 && waitpid(pid_, nullptr, WNOHANG) == 0; }

bool Child::wait_for(const std::string& line) {
  for (;;) {
    const auto end = read_ahead_.find('\n');
    if (end != std::string::npos) {
      const auto found = read_ahead_.substr(0, end);
      read_ahead_.erase(0, end + 1);
      if (found == line) return true;
      continue;
    }
    std::array<char, 4096> chunk{};
    const auto got = read(output_, chunk.data(), chunk.size());
    if (got <= 0) return false;
    read_ahead_.append(chunk.data(), static_cast<std::size_t>(got));
  }
}

void Child::send(const std::string& command) {
  const auto line = command + "\n";
  if (write(input_, line.data(), line.size()) != std::ssize(line)) {
    throw std::runtime_error("the child takes no input");
  }
}

bool Child::tell(const std::string& command) {
  send(command);
  return wait_for("done");
}

std::string node_under_test() {
  const char* chosen = std::getenv("EBBTIDE_TEST_NODE");
  return chosen != nullptr ? chosen : "node";
}

namespace {

std::vector<std::string> node_command(std::vector<std::string> options) {
  std::vector<std::string> command{node_under_test()};
  command.insert(command.end(), options.begin(), options.end());
  command.emplace_back(SOURCE_DIR "/tests/e2e/inspector_target.js");
  return command;
}

}  // namespace

NodeChild::NodeChild(std::vector<std::string> options, pid_t neighbour)
    : Child(node_command(std::move(options)), neighbour) {
  if (!wait_for("ready")) throw std::runtime_error("node does not start");
}

}  // namespace ebbtide
