// Answers: how does a test get a real Node process of its own, with port 9229 free?
#pragma once

#include <sys/types.h>

#include <string>
#include <vector>

namespace ebbtide {

// A program in a network namespace that nobody else uses, killed at the end. Needs root.
class Child {
 public:
  // `neighbour`: the process whose network namespace to share; 0 for a new one.
  explicit Child(const std::vector<std::string>& command, pid_t neighbour = 0);
  ~Child();
  Child(const Child&) = delete;
  Child& operator=(const Child&) = delete;

  [[nodiscard]] pid_t pid() const { return pid_; }
  [[nodiscard]] bool running();
  void kill();

  // Waits for a line of its output; false when it ends without one.
  bool wait_for(const std::string& line);
  // Sends a command line to its input and waits until it is done.
  bool tell(const std::string& command);
  // Sends without waiting.
  void send(const std::string& command);

 private:
  pid_t pid_ = -1;
  int input_ = -1;
  int output_ = -1;
  std::string read_ahead_;
};

// The node under test: $EBBTIDE_TEST_NODE, else the one in PATH.
std::string node_under_test();

// That node running inspector_target.js, ready.
class NodeChild : public Child {
 public:
  explicit NodeChild(std::vector<std::string> options = {}, pid_t neighbour = 0);
};

}  // namespace ebbtide
