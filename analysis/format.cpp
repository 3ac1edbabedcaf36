#include "analysis/format.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <string_view>

#include "recording/span.h"

namespace ebbtide {
namespace {

struct Scale {
  double divisor = 1;
  std::string_view suffix;
  int decimals = 0;
};

constexpr std::string_view minus = "−";

// `decimals` places, and no "-0".
std::string number_text(double value, int decimals) {
  std::string digits = fmt::format("{:.{}f}", std::abs(value), decimals);
  const bool zero = digits.find_first_not_of("0.") == std::string::npos;
  return value < 0 && !zero ? std::string(minus) + digits : digits;
}

Scale byte_scale(double bytes) {
  constexpr std::array<std::string_view, 5> suffixes = {" B", " KB", " MB", " GB", " TB"};
  double divisor = 1;
  std::size_t step = 0;
  // 1,023.96 KB would be written 1,024.0 KB: step up a little early.
  while (step + 1 < suffixes.size() && std::abs(bytes) >= divisor * 1023.95) {
    divisor *= 1024;
    ++step;
  }
  return {divisor, suffixes[step], step == 0 ? 0 : 1};
}

int count_decimals(double count) {
  const double size = std::abs(count);
  if (size >= 100) return 0;
  if (size >= 10) return 1;
  return size >= 0.1 || size == 0 ? 2 : 3;
}

}  // namespace

std::string integer_text(std::int64_t value) {
  std::string digits = fmt::format("{}", value);
  const std::size_t first = digits.front() == '-' ? 1 : 0;
  for (std::size_t at = digits.size(); at > first + 3;) digits.insert(at -= 3, ",");
  return first == 1 ? std::string(minus) + digits.substr(1) : digits;
}

std::string number_text(std::uint64_t value) {
  return integer_text(static_cast<std::int64_t>(value));
}

std::string bytes_text(double bytes) {
  const Scale scale = byte_scale(bytes);
  return number_text(bytes / scale.divisor, scale.decimals) + std::string(scale.suffix);
}

std::string count_text(double count) { return number_text(count, count_decimals(count)); }

std::string amount_text(double value, Unit unit) {
  if (unit == Unit::nanoseconds) return duration_text(value * 1e-9);
  return unit == Unit::bytes ? bytes_text(value) : count_text(value);
}

std::string interval_text(const Interval& interval, Unit unit) {
  const double larger = std::max(std::abs(interval.low), std::abs(interval.high));
  const Scale scale =
      unit == Unit::bytes ? byte_scale(larger) : Scale{1, "", count_decimals(larger)};
  return fmt::format("{}{}{}{}", number_text(interval.low / scale.divisor, scale.decimals),
                     interval.low < 0 ? " to " : "–",
                     number_text(interval.high / scale.divisor, scale.decimals), scale.suffix);
}

std::string duration_text(double seconds) {
  if (seconds < 0.0009995) return fmt::format("{:.0f} µs", seconds * 1e6);
  if (seconds < 0.009995) return fmt::format("{:.1f} ms", seconds * 1e3);
  if (seconds < 0.9995) return fmt::format("{:.0f} ms", seconds * 1e3);
  if (seconds < 59.995) return fmt::format("{:.2f} s", seconds);
  const auto whole = static_cast<std::int64_t>(std::llround(seconds));
  return fmt::format("{} min {} s", integer_text(whole / 60), whole % 60);
}

std::string percent_text(double share) { return fmt::format("{:.0f} %", share * 100); }

std::string span_text(std::uint64_t start_ns, std::uint64_t end_ns) {
  if (end_ns <= start_ns) return "–";
  return duration_text(span_seconds(start_ns, end_ns));
}

std::string levels_text(const std::vector<std::uint64_t>& levels, std::size_t most) {
  std::string text;
  for (std::size_t i = 0; i < levels.size(); ++i) {
    const bool shown = levels.size() <= most || i < most / 2 || i + most / 2 >= levels.size();
    if (!shown && i != most / 2) continue;
    text += (i == 0 ? "" : " → ") + (shown ? number_text(levels[i]) : std::string("…"));
  }
  return text;
}

std::string counted(std::uint64_t count, const std::string& noun) {
  return integer_text(static_cast<std::int64_t>(count)) + " " + noun + (count == 1 ? "" : "s");
}

}  // namespace ebbtide
