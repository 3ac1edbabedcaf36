// Answers: how is a server tried by the other ways in which connections can end? Each way is a
// short experiment of its own behind the main one.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "driver/plan.h"
#include "recording/result.h"

namespace ebbtide {

struct ClosePass {
  CloseMode mode = CloseMode::clean;
  std::vector<std::uint32_t> doses;  // of its cycles
};

// "clean,rst,half-open", or "all": the modes that make a difference on this scheme. Each once, in
// this order; half_open goes last, for it waits longest.
Result<std::vector<CloseMode>> parse_close_modes(const std::string& text, Scheme scheme);

// "clean,rst,half_open", as recordings have it.
std::string close_modes_text(const std::vector<CloseMode>& modes);

// A pass of each mode but the first, with no more connections in a cycle than `connections`.
std::vector<ClosePass> plan_passes(const std::vector<CloseMode>& modes, std::uint32_t connections);

// The plan of a connection that ends in `mode`. Nobody waits long for an answer to a wrong path: a
// server that gives none keeps every connection waiting.
ConnectionPlan ending_in(CloseMode mode, ConnectionPlan plan);

}  // namespace ebbtide
