// Answers: how long does `ebbtide review` take for ordinary sources and for one very large file,
// and how much memory?
#pragma once

#include <string>

#include "tests/bench/table.h"

namespace ebbtide {

// Gathers the ordinary sources below `directory`.
Result<Rows> measure_review_speed(const std::string& directory);

}  // namespace ebbtide
