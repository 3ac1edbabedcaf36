// Answers: what does a traced process do, exactly, and when? A forked child that runs one named
// action at a time, so that a test knows every socket, mapping and thread it makes.
#pragma once

#include <sys/types.h>

#include <cstdint>
#include <functional>
#include <map>
#include <string>

namespace ebbtide {

class Subject {
 public:
  // Actions run in the child; what they return reaches run().
  using Actions = std::map<std::string, std::function<std::int64_t()>>;

  explicit Subject(const Actions& actions);
  ~Subject();  // kills the child if it still lives
  Subject(const Subject&) = delete;
  Subject& operator=(const Subject&) = delete;

  // Runs an action and waits for its result; -1 when the child is gone.
  std::int64_t run(const std::string& action);

  // Runs an action that ends the child, and waits for its death.
  void run_last(const std::string& action);

  [[nodiscard]] pid_t pid() const { return pid_; }

 private:
  std::map<std::string, std::uint8_t> numbers_;
  pid_t pid_ = -1;
  int to_child_ = -1;
  int from_child_ = -1;
};

}  // namespace ebbtide
