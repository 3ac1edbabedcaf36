#include "analysis/load/levels.h"

namespace ebbtide {

LevelsAssessment assess_levels(const Recording&) { return {}; }

}  // namespace ebbtide
