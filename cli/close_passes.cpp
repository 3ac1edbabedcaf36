#include "cli/close_passes.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <sstream>

#include "recording/names.h"

namespace ebbtide {
namespace {

constexpr std::array every_mode = {CloseMode::clean,      CloseMode::fin,
                                   CloseMode::rst,        CloseMode::terminate,
                                   CloseMode::early,      CloseMode::abort_handshake,
                                   CloseMode::wrong_path, CloseMode::half_open};

// Three steps: the first may be warm-up, and two alike are no chance.
constexpr std::size_t pass_cycles = 3;
constexpr std::uint32_t pass_connections = 30;
// The one cycle of silent clients takes long; a prime number stands out among what they leave.
constexpr std::uint32_t silent_connections = 29;
constexpr std::chrono::milliseconds answer_to_a_wrong_path{1000};

// Raw TCP has no handshake of its own and no paths; http says goodbye by its FIN.
bool makes_a_difference(CloseMode mode, Scheme scheme) {
  if (is_websocket(scheme)) return true;
  if (mode == CloseMode::fin || mode == CloseMode::terminate) return false;
  return is_http(scheme) || (mode != CloseMode::abort_handshake && mode != CloseMode::wrong_path);
}

std::vector<CloseMode> modes_of(Scheme scheme) {
  std::vector<CloseMode> modes;
  std::ranges::copy_if(every_mode, std::back_inserter(modes),
                       [&](CloseMode mode) { return makes_a_difference(mode, scheme); });
  return modes;
}

Result<CloseMode> close_mode_named(const std::string& name) {
  std::string stored = name;
  std::ranges::replace(stored, '-', '_');
  if (const auto mode = parse_name<CloseMode>(stored)) return *mode;
  return Error{"use", fmt::format("--close {}", name),
               "it is none of clean, fin, rst, terminate, early, half-open, abort-handshake, "
               "wrong-path, all",
               ""};
}

}  // namespace

Result<std::vector<CloseMode>> parse_close_modes(const std::string& text, Scheme scheme) {
  if (text == "all") return modes_of(scheme);
  std::vector<CloseMode> modes;
  std::istringstream names(text + ",");
  for (std::string name; std::getline(names, name, ',');) {
    const auto mode = close_mode_named(name);
    if (!mode) return mode.error();
    if (std::ranges::find(modes, *mode) == modes.end()) modes.push_back(*mode);
  }
  std::ranges::stable_partition(modes.begin() + 1, modes.end(),
                                [](CloseMode mode) { return mode != CloseMode::half_open; });
  return modes;
}

std::string close_modes_text(const std::vector<CloseMode>& modes) {
  std::string text;
  for (const CloseMode mode : modes) text += (text.empty() ? "" : ",") + std::string(name_of(mode));
  return text;
}

std::vector<ClosePass> plan_passes(const std::vector<CloseMode>& modes, std::uint32_t connections) {
  std::vector<ClosePass> passes;
  for (std::size_t i = 1; i < modes.size(); ++i) {
    const bool silent = modes[i] == CloseMode::half_open;
    const std::uint32_t most = silent ? silent_connections : pass_connections;
    passes.push_back(
        {modes[i], std::vector(silent ? 1 : pass_cycles, std::min(connections, most))});
  }
  return passes;
}

ConnectionPlan ending_in(CloseMode mode, ConnectionPlan plan) {
  plan.close_mode = mode;
  if (mode == CloseMode::wrong_path) plan.timeout = std::min(plan.timeout, answer_to_a_wrong_path);
  return plan;
}

}  // namespace ebbtide
