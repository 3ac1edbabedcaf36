// Answers: how does a test run a program, read what it prints, and be sure that it ends?
#pragma once

#include <sys/resource.h>
#include <sys/types.h>

#include <chrono>
#include <functional>
#include <map>
#include <string>
#include <vector>

namespace ebbtide {

struct ProcessOptions {
  std::map<std::string, std::string> environment;  // on top of this process's own
  rlim_t open_files = 0;                           // hard limit; 0: as it is
};

// A child process in a process group of its own, killed with that group by the destructor and, in
// any case, when this process dies.
class Process {
 public:
  // The program is searched in PATH. Throws std::runtime_error when it cannot be started.
  explicit Process(const std::vector<std::string>& arguments, const ProcessOptions& options = {});
  ~Process();
  Process(const Process&) = delete;
  Process& operator=(const Process&) = delete;

  [[nodiscard]] pid_t pid() const { return pid_; }
  void signal(int number) const;

  // Reads output until `found` is true for all of stdout so far; false: the program ended or the
  // time was up before.
  bool read_until(const std::function<bool(const std::string& out)>& found,
                  std::chrono::milliseconds limit);

  // Waits for the end and all output; false: the time was up, and the process was killed.
  bool wait(std::chrono::milliseconds limit);

  // Valid after wait(): the exit code, or 128 + the signal's number.
  [[nodiscard]] int exit_code() const { return exit_code_; }
  [[nodiscard]] const std::string& out() const { return out_; }
  [[nodiscard]] const std::string& err() const { return err_; }

 private:
  bool read_some(std::chrono::steady_clock::time_point deadline);

  pid_t pid_ = -1;
  int out_fd_ = -1;
  int err_fd_ = -1;
  int exit_code_ = -1;
  std::string out_;
  std::string err_;
};

}  // namespace ebbtide
