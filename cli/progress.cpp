#include "cli/progress.h"

#include <fmt/format.h>
#include <unistd.h>

#include <cstdio>
#include <cstdlib>

#include "analysis/report/escape.h"

namespace ebbtide {
namespace {

// "cycle 2/13", "level 100 (3/5)"; "" where there is only one.
std::string part_of(const ProgressState& state) {
  if (state.cycles <= 1) return "";
  if (state.level == 0) return fmt::format("cycle {}/{}  ", state.cycle, state.cycles);
  return fmt::format("level {} ({}/{})  ", state.level, state.cycle, state.cycles);
}

std::string describe(const ProgressState& state) {
  std::string text =
      fmt::format("{}{:<6}  {:>5} up  RSS {:.1f} MB  {:.1f} s", part_of(state), state.phase,
                  state.sockets_up, static_cast<double>(state.rss_bytes) / 1e6, state.elapsed_s);
  if (!state.detail.empty()) text += "  " + state.detail;
  if (state.remaining_s > 0) text += fmt::format(", about {:.0f} s left", state.remaining_s);
  return text;
}

}  // namespace

Progress::Progress(bool quiet)
    : quiet_(quiet),
      terminal_(isatty(STDERR_FILENO) == 1),
      color_(terminal_ && std::getenv("NO_COLOR") == nullptr) {}

Progress::~Progress() { erase_line(); }

void Progress::erase_line() {
  if (line_shown_) std::fputs("\r\033[K", stderr);
  line_shown_ = false;
}

void Progress::update(const ProgressState& state) { working(describe(state)); }

void Progress::working(const std::string& text) {
  if (quiet_ || !terminal_) return;
  const char* dim = color_ ? "\033[2m" : "";
  const char* plain = color_ ? "\033[0m" : "";
  std::fputs(fmt::format("\r\033[K{}{}{}", dim, clean_text(text, 200), plain).c_str(), stderr);
  std::fflush(stderr);
  line_shown_ = true;
}

void Progress::cycle_done(const ProgressState& state) {
  if (quiet_ || terminal_) return;
  std::fputs((describe(state) + "\n").c_str(), stderr);
}

void Progress::say(const std::string& line) {
  if (quiet_) return;
  erase_line();
  std::fputs((clean_text(line, 1000) + "\n").c_str(), stderr);
}

}  // namespace ebbtide
