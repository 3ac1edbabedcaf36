// Answers: how does this build of V8 lay out its objects? Reads the integers that V8 exports for
// debuggers (v8dbg_class_Map__…, v8dbg_type_…) from the file that holds it.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <string>

#include "recording/result.h"

namespace ebbtide {

// Name without "v8dbg_" → value. Errors: the file cannot be read, or has no such symbols.
Result<std::map<std::string, std::int32_t, std::less<>>> read_v8_layout(const std::string& path);

}  // namespace ebbtide
