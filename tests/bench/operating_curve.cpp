#include "tests/bench/operating_curve.h"

#include <fmt/format.h>

#include <iterator>

namespace ebbtide {
namespace {

constexpr double left = 58;
constexpr double top = 64;
constexpr double bar = 17;
constexpr double gap = 4;
constexpr double height = 130;
constexpr double between_panels = 22;
constexpr double between_rows = 66;
constexpr double panel = leak_multiples.size() * (bar + gap) - gap;
constexpr double width = left + planned_cycles.size() * (panel + between_panels);
constexpr double bottom = top + 2 * height + between_rows + 52;

struct Part {
  std::string title;
  std::string colour;
  std::vector<Verdict> verdicts;
};

// From the bottom up. Told apart in grey and by the colour-blind too.
const std::vector<Part> parts = {
    {"LEAK", "#b2182b", {Verdict::leak}},
    {"INCONCLUSIVE", "#d9d9d9", {Verdict::inconclusive}},
    {"NO LEAK or SATURATING", "#4393c3", {Verdict::no_leak, Verdict::saturating}}};

class Drawing {
 public:
  void text(double x, double y, const std::string& anchor, const std::string& words) {
    add(R"(<text x="{:.0f}" y="{:.0f}" text-anchor="{}">{}</text>)", x, y, anchor, words);
  }
  void box(double x, double y, double w, double h, const std::string& colour) {
    add(R"(<rect x="{:.1f}" y="{:.1f}" width="{:.1f}" height="{:.1f}" fill="{}"/>)", x, y, w, h,
        colour);
  }
  void line(double x, double y, double length) {
    add(R"(<path d="M{:.0f} {:.0f}h{:.0f}" stroke="#888" stroke-width="0.5"/>)", x, y, length);
  }
  [[nodiscard]] std::string document() const {
    return fmt::format(
        R"(<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {0:.0f} {1:.0f}" width="{0:.0f}" )"
        R"(height="{1:.0f}" font-family="sans-serif" font-size="11">)"
        "\n<rect width=\"100%\" height=\"100%\" fill=\"white\"/>\n{2}</svg>\n",
        width, bottom, shapes_);
  }

 private:
  template <typename... Values>
  void add(fmt::format_string<Values...> format, Values&&... values) {
    fmt::format_to(std::back_inserter(shapes_), format, std::forward<Values>(values)...);
    shapes_ += '\n';
  }
  std::string shapes_;
};

void draw_panel(Drawing& drawing, double x, double y, const VerdictRates& rates, bool descriptors,
                std::uint32_t cycles) {
  for (std::size_t multiple = 0; multiple < leak_multiples.size(); ++multiple) {
    const double at = x + static_cast<double>(multiple) * (bar + gap);
    double base = y + height;
    for (const Part& part : parts) {
      const Tally tally = rates.given(part.verdicts, [&](const Group& group) {
        return of_descriptors(group.trouble) == descriptors && group.cycles == cycles &&
               group.multiple == multiple;
      });
      const double tall = height * tally.percent() / 100;
      base -= tall;
      if (tall > 0) drawing.box(at, base, bar, tall, part.colour);
    }
    drawing.text(at + bar / 2, y + height + 14, "middle",
                 fmt::format("{}", leak_multiples.at(multiple)));
  }
  for (const double share : {0.0, 0.5, 1.0}) drawing.line(x, y + height * share, panel);
}

}  // namespace

std::string operating_curve_svg(const VerdictRates& rates) {
  Drawing drawing;
  double at = left;
  for (const Part& part : parts) {
    drawing.box(at, 12, 12, 12, part.colour);
    drawing.text(at + 17, 22, "start", part.title);
    at += 40 + 7 * static_cast<double>(part.title.size());
  }
  for (const bool descriptors : {false, true}) {
    const double y = top + (descriptors ? height + between_rows : 0);
    for (const double share : {0.0, 0.5, 1.0}) {
      drawing.text(left - 6, y + height * (1 - share) + 4, "end",
                   fmt::format("{:.0f} %", 100 * share));
    }
    double x = left;
    for (const std::uint32_t cycles : planned_cycles) {
      drawing.text(x, y - 8, "start",
                   fmt::format("{}, {} cycles", descriptors ? "descriptors" : "memory", cycles));
      draw_panel(drawing, x, y, rates, descriptors, cycles);
      x += panel + between_panels;
    }
  }
  drawing.text(left, bottom - 14, "start",
               "size of the leak, in multiples of the limit that the same run prints when nothing "
               "leaks; undecided runs went on to 40 cycles");
  return drawing.document();
}

}  // namespace ebbtide
