// Answers: where in the source that a person wrote is this place of the script that ran? Source map
// revision 3 (ECMA-426), indexed maps included.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "recording/result.h"
#include "recording/run.h"

namespace ebbtide {

class SourceMap {
 public:
  // Errors: not JSON, not version 3, a mapping that is not base64 VLQ; untrusted text.
  static Result<SourceMap> parse(std::string_view json);

  // `line` and `column` from 1. The nearest mapping at or before it on the same line; nullopt when
  // the line has none. The script is as the map names it, its sourceRoot in front.
  [[nodiscard]] std::optional<CodePosition> original(std::uint32_t line,
                                                     std::uint32_t column) const;

  // The source text that the map carries of a script as original() names it; "" when it has none.
  [[nodiscard]] std::string_view source_of(std::string_view script) const;

  [[nodiscard]] const std::vector<std::string>& sources() const;

 private:
  struct Data;
  explicit SourceMap(std::shared_ptr<const Data> data);
  std::shared_ptr<const Data> data_;
};

}  // namespace ebbtide
