// Answers: how do programs read what grows in a JavaScript heap? Names and units are part of the
// schema of results.json (json.h).
#pragma once

#include <nlohmann/json_fwd.hpp>

#include "analysis/heap/growth.h"
#include "recording/run.h"

namespace ebbtide {

// {"looks": n, "causes": […], "growths": […]}, in the findings' order.
nlohmann::ordered_json heap_findings_json(const HeapFindings& findings);

// One row per look and heap.
nlohmann::ordered_json heap_censuses_json(const Recording& recording);

}  // namespace ebbtide
