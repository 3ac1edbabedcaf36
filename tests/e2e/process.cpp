#include "tests/e2e/process.h"

#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstring>
#include <stdexcept>

namespace ebbtide {
namespace {

using Clock = std::chrono::steady_clock;

struct Pipe {
  int read_end = -1;
  int write_end = -1;

  Pipe() {
    int ends[2];
    if (::pipe2(ends, O_CLOEXEC) != 0) throw std::runtime_error("pipe2");
    read_end = ends[0];
    write_end = ends[1];
  }
};

// In the child: becomes the program or ends with 127.
[[noreturn]] void become(const std::vector<std::string>& arguments, const ProcessOptions& options,
                         const Pipe& out, const Pipe& err) {
  ::setpgid(0, 0);
  ::prctl(PR_SET_PDEATHSIG, SIGKILL);
  ::dup2(::open("/dev/null", O_RDONLY), STDIN_FILENO);
  ::dup2(out.write_end, STDOUT_FILENO);
  ::dup2(err.write_end, STDERR_FILENO);
  for (const auto& [name, value] : options.environment) ::setenv(name.c_str(), value.c_str(), 1);
  if (options.open_files != 0) {
    const rlimit limit{options.open_files, options.open_files};
    ::setrlimit(RLIMIT_NOFILE, &limit);
  }
  std::vector<char*> argv;
  for (const std::string& argument : arguments) argv.push_back(const_cast<char*>(argument.c_str()));
  argv.push_back(nullptr);
  ::execvp(argv[0], argv.data());
  const std::string message = arguments[0] + ": " + std::strerror(errno) + "\n";
  static_cast<void>(::write(STDERR_FILENO, message.data(), message.size()));
  ::_exit(127);
}

// Appends what can be read now; closes the descriptor at the end of the output.
void drain(int& fd, std::string& text) {
  std::array<char, 4096> buffer;
  const ssize_t size = ::read(fd, buffer.data(), buffer.size());
  if (size > 0) {
    text.append(buffer.data(), static_cast<std::size_t>(size));
  } else if (size == 0 || errno != EINTR) {
    ::close(fd);
    fd = -1;
  }
}

}  // namespace

Process::Process(const std::vector<std::string>& arguments, const ProcessOptions& options) {
  const Pipe out, err;
  pid_ = ::fork();
  if (pid_ < 0) throw std::runtime_error("fork");
  if (pid_ == 0) become(arguments, options, out, err);
  ::setpgid(pid_, pid_);  // here too, so that it holds before either side goes on
  ::close(out.write_end);
  ::close(err.write_end);
  out_fd_ = out.read_end;
  err_fd_ = err.read_end;
}

Process::~Process() {
  if (pid_ > 0) {
    ::kill(-pid_, SIGKILL);
    ::waitpid(pid_, nullptr, 0);
  }
  if (out_fd_ >= 0) ::close(out_fd_);
  if (err_fd_ >= 0) ::close(err_fd_);
}

void Process::signal(int number) const {
  if (pid_ > 0) ::kill(pid_, number);
}

bool Process::read_some(Clock::time_point deadline) {
  std::array<pollfd, 2> polled{{{out_fd_, POLLIN, 0}, {err_fd_, POLLIN, 0}}};
  const auto left = std::chrono::ceil<std::chrono::milliseconds>(deadline - Clock::now()).count();
  if (left <= 0 || (out_fd_ < 0 && err_fd_ < 0)) return false;
  if (::poll(polled.data(), polled.size(), static_cast<int>(left)) < 0) return errno == EINTR;
  if (polled[0].revents != 0) drain(out_fd_, out_);
  if (polled[1].revents != 0) drain(err_fd_, err_);
  return true;
}

bool Process::read_until(const std::function<bool(const std::string& out)>& found,
                         std::chrono::milliseconds limit) {
  const auto deadline = Clock::now() + limit;
  while (!found(out_)) {
    if (!read_some(deadline)) return false;
  }
  return true;
}

bool Process::wait(std::chrono::milliseconds limit) {
  const auto deadline = Clock::now() + limit;
  while (read_some(deadline)) {
  }
  const bool ended = out_fd_ < 0 && err_fd_ < 0;
  if (!ended) ::kill(-pid_, SIGKILL);
  int status = 0;
  ::waitpid(pid_, &status, 0);
  pid_ = -1;
  exit_code_ = WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
  return ended;
}

}  // namespace ebbtide
