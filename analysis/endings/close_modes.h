// Answers: does the server give back what its connections took, whichever way they end? A matrix
// of close modes and kinds of things, each cell by exact counts; docs/method.md says from what.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "analysis/verdict.h"
#include "recording/run.h"

namespace ebbtide {

struct ModeCell {
  enum class State : std::uint8_t { ok, bad, unmeasured };
  State state = State::unmeasured;
  std::string text = "–";  // "ok", "1.00 kept"; may hold text that the target controls
};

// How soon the server let go of clients that had become silent; in seconds.
struct Notice {
  std::size_t noticed = 0;  // of the connections
  double soonest = 0;       // of those
  double latest = 0;
  std::size_t unnoticed = 0;
  double waited = 0;  // for those
};

struct ModeOutcome {
  CloseMode mode = CloseMode::clean;
  std::uint32_t cycles = 0;       // finished ones with connections
  std::uint64_t connections = 0;  // that reached the server in them
  ModeCell sockets, fds, memory, event_loop, process;
  std::string finding;  // "each leaves 1.00 accepted sockets behind (…)"; "" when nothing is left
  std::string remark;   // how soon a silent client was noticed, why nothing was measured; or ""
  std::optional<Notice> notice = {};  // half-open only
};

// Whether every count that says what is left behind was taken.
bool is_measured(const ModeOutcome& outcome);

struct CloseModes {
  std::vector<ModeOutcome> outcomes;  // in the order run, the main experiment's first
  std::optional<CloseMode> deadly;    // the server died while connections ended so, behind the main
  std::string death;                  // "the target exited (code 1) after 12.0 s, in cycle 9"

  [[nodiscard]] bool several() const { return outcomes.size() > 1; }
};

// `main` is main_part(run), `assessment` the verdict on it.
CloseModes assess_close_modes(const Recording& run, const Recording& main,
                              const Assessment& assessment);

// Makes the verdict LEAK when only another mode leaks, and says of what the server dies. Never
// clears anybody.
void weigh_close_modes(const CloseModes& modes, Assessment& main);

// What the connection does, "is reset", for "when a connection …".
std::string_view ending_phrase(CloseMode mode);

// As on the command line: "half-open".
std::string close_mode_title(CloseMode mode);

}  // namespace ebbtide
