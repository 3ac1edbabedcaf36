// Answers: how did the run end, if a process of the target did not live to see its end?
#pragma once

#include <cstdint>
#include <optional>

#include "recording/run.h"
#include "tracer/resource_table.h"
#include "tracer/target.h"

namespace ebbtide {

// nullopt while all processes live. When only some are gone the run has failed: what the others
// hold is no longer the whole. `oom_kills_before` is oom_kill_count() when the run began.
std::optional<RunEnd> find_target_end(const Target& target, const ResourceTable& resources,
                                      std::uint64_t oom_kills_before);

}  // namespace ebbtide
