// Answers: what does a person read about the ways in which a connection can end?
#pragma once

#include <string>

#include "analysis/endings/close_modes.h"

namespace ebbtide {

// "Ways a connection ends": the matrix and what its cells mean; "" when only one way was tried.
std::string close_modes_section(const CloseModes& modes);

// For a terminal: a line for each way that is not in order, beside what the first line says.
std::string close_modes_lines(const CloseModes& modes);

}  // namespace ebbtide
