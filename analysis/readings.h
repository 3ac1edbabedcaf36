// Answers: what did a gauge read at a point of a cycle, if it was read at all?
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <tuple>

#include "recording/run.h"

namespace ebbtide {

class Readings {
 public:
  explicit Readings(const Recording& recording) {
    for (const Gauge& gauge : recording.gauges) {
      values_[{gauge.kind, gauge.point, gauge.cycle}] = gauge.value;
    }
  }

  [[nodiscard]] std::optional<std::int64_t> at(GaugeKind kind, Point point,
                                               std::uint32_t cycle) const {
    const auto found = values_.find({kind, point, cycle});
    if (found == values_.end()) return std::nullopt;
    return found->second;
  }

  // The last settled reading before `cycle`: its floor.
  [[nodiscard]] std::optional<std::int64_t> floor_before(GaugeKind kind,
                                                         std::uint32_t cycle) const {
    for (std::uint32_t earlier = cycle; earlier-- > 0;) {
      if (const auto value = at(kind, Point::settled, earlier)) return value;
    }
    return std::nullopt;
  }

 private:
  std::map<std::tuple<GaugeKind, Point, std::uint32_t>, std::int64_t> values_;
};

}  // namespace ebbtide
