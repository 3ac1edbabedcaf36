// How modes are named, and what they make of the verdict's sentence.
#include <fmt/format.h>

#include <algorithm>

#include "analysis/endings/close_modes.h"

namespace ebbtide {
namespace {

// "is reset, goes silent or asks for a wrong path".
std::string phrases(const std::vector<const ModeOutcome*>& outcomes) {
  std::string text;
  for (std::size_t i = 0; i < outcomes.size(); ++i) {
    if (i > 0) text += i + 1 == outcomes.size() ? " or " : ", ";
    text += ending_phrase(outcomes[i]->mode);
  }
  return text;
}

}  // namespace

std::string_view ending_phrase(CloseMode mode) {
  switch (mode) {
    case CloseMode::clean:
      return "ends cleanly";
    case CloseMode::fin:
      return "ends without a close frame";
    case CloseMode::rst:
      return "is reset";
    case CloseMode::terminate:
      return "is reset right behind its close frame";
    case CloseMode::early:
      return "is reset before its first answer";
    case CloseMode::half_open:
      return "goes silent";
    case CloseMode::abort_handshake:
      return "breaks off its handshake";
    case CloseMode::wrong_path:
      return "asks for a wrong path";
  }
  return "?";
}

std::string close_mode_title(CloseMode mode) {
  std::string title(name_of(mode));
  std::ranges::replace(title, '_', '-');
  return title;
}

void weigh_close_modes(const CloseModes& modes, Assessment& main) {
  std::vector<const ModeOutcome*> leaking;
  for (const ModeOutcome& outcome : modes.outcomes) {
    const bool is_main = &outcome == &modes.outcomes.front();
    if (!is_main && !outcome.finding.empty()) leaking.push_back(&outcome);
  }
  if (!leaking.empty() && main.verdict != Verdict::leak) {
    const bool undecided = main.verdict == Verdict::inconclusive;
    main.sentence = fmt::format(
        "{}: {}when a connection {}: {}{}.", verdict_title(Verdict::leak), undecided ? "" : "only ",
        phrases(leaking), leaking.front()->finding,
        undecided
            ? fmt::format("; undecided when it {}", ending_phrase(modes.outcomes.front().mode))
            : "");
    main.verdict = Verdict::leak;
  }
  if (!modes.deadly) return;
  main.sentence = fmt::format("The server dies when a connection {}: {}. {}",
                              ending_phrase(*modes.deadly), modes.death, main.sentence);
}

}  // namespace ebbtide
