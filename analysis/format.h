// Answers: how is a number written for a person? KB and MB are 1,024-based, as in /proc and in
// Node's own tools; signs are real minus signs; the locale has no say.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "analysis/statistics.h"
#include "recording/names.h"

namespace ebbtide {

std::string integer_text(std::int64_t value);                    // "1,000"
std::string number_text(std::uint64_t value);                    // the same
std::string bytes_text(double bytes);                            // "64.3 KB", "−189 B"
std::string count_text(double count);                            // "1.00", "0.004", "12.5"
std::string amount_text(double value, Unit unit);                // one of the two above
std::string interval_text(const Interval& interval, Unit unit);  // "63.9–64.6 KB", "−20 to 35 B"
std::string percent_text(double share);                          // "66 %"
std::string duration_text(double seconds);  // "90 µs", "184 ms", "1.42 s", "3 min 12 s"
std::string span_text(std::uint64_t start_ns, std::uint64_t end_ns);  // "–" when end is not after

// "100 → 200 → 300"; of more than `most` the first and the last ones.
std::string levels_text(const std::vector<std::uint64_t>& levels, std::size_t most);

// "1 cycle", "2 cycles".
std::string counted(std::uint64_t count, const std::string& noun);

}  // namespace ebbtide
