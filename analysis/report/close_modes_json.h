// Answers: how does the matrix of close modes look in results.json?
#pragma once

#include <nlohmann/json.hpp>

#include "analysis/endings/close_modes.h"

namespace ebbtide {

nlohmann::ordered_json close_modes_json(const CloseModes& modes);

}  // namespace ebbtide
