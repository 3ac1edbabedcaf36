// Answers: what does the person see while a run goes on? One line that renews itself on a terminal,
// a plain line per cycle elsewhere, nothing when quiet. Always on standard error.
#pragma once

#include <cstdint>
#include <string>

namespace ebbtide {

struct ProgressState {
  std::uint32_t cycle = 0;  // of cycles, idle controls included
  std::uint32_t cycles = 0;
  std::uint32_t level = 0;  // connections at once, where each cycle has its own number of them
  std::string phase;
  std::string detail;  // what the phase has come to so far, or ""
  std::uint32_t sockets_up = 0;
  std::uint64_t rss_bytes = 0;
  double elapsed_s = 0;
  double remaining_s = 0;  // estimated; 0: not yet known
};

class Progress {
 public:
  explicit Progress(bool quiet);
  ~Progress();
  Progress(const Progress&) = delete;
  Progress& operator=(const Progress&) = delete;

  // Renews the line; a no-op unless standard error is a terminal.
  void update(const ProgressState& state);

  // Renews the line for work that has no cycles; a no-op unless standard error is a terminal.
  void working(const std::string& text);

  // A cycle is over: a plain line unless standard error is a terminal.
  void cycle_done(const ProgressState& state);

  // One line that stays; what the target put into it cannot act on the terminal.
  void say(const std::string& line);

  // Takes the renewed line away, before something else is printed.
  void erase_line();

 private:
  bool quiet_;
  bool terminal_;
  bool color_;
  bool line_shown_ = false;
};

}  // namespace ebbtide
