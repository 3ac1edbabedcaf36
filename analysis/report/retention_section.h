// Answers: how is it said what an allocator keeps, and what would make it give that back? Advice
// stands only where its part was measured.
#pragma once

#include <nlohmann/json_fwd.hpp>
#include <string>

#include "analysis/retention.h"

namespace ebbtide {

// "### Memory that the allocator keeps"; "" when it keeps nothing worth naming.
std::string retention_section(const Retention& retention);

// One line for the terminal; "" likewise.
std::string retention_line(const Retention& retention);

// What to do about one part, a sentence.
std::string retention_advice(const Retention& retention, const KeptMemory& part, bool v8);

nlohmann::ordered_json retention_json(const Retention& retention, bool v8);

}  // namespace ebbtide
