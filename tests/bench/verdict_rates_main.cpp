// Prints the tables of docs/method.md on how often the verdict is wrong, and draws the operating
// curve: verdict_rates SEED SERVERS [SVG].
#include <fmt/format.h>

#include <cstdlib>
#include <fstream>

#include "tests/bench/operating_curve.h"

namespace {

using namespace ebbtide;

void print_rates(const std::string& name, const Rates& rates) {
  const auto text = [](const Tally& tally) {
    return fmt::format("{:.2f} ({})", tally.percent(), tally.interval_text());
  };
  fmt::print("| {} | {} | {} | {:.1f} | {:.1f} ({:.1f}) | {:.0f} of {} |\n", name,
             text(rates.false_leak), text(rates.false_clear), rates.undecided.percent(),
             rates.covered.percent(), rates.above.percent(), rates.unsteady_leak.percent(),
             rates.unsteady_leak.of);
}

void print_all_rates(const VerdictRates& rates, bool descriptors) {
  const auto here = [&](const Group& group) {
    return of_descriptors(group.trouble) == descriptors;
  };
  fmt::print(
      "\n| {} | false LEAK, % | false NO LEAK, % | INCONCLUSIVE, % | covered, % (above) | "
      "not ended: LEAK, % |\n|---|---|---|--:|--:|--:|\n",
      descriptors ? "descriptors" : "memory");
  for (const std::uint32_t cycles : planned_cycles) {
    print_rates(fmt::format("{} cycles", cycles), rates.rates([&](const Group& group) {
      return here(group) && group.cycles == cycles;
    }));
  }
  for (std::size_t i = 0; i < trouble_count; ++i) {
    const auto trouble = static_cast<Trouble>(i);
    if (of_descriptors(trouble) != descriptors) continue;
    print_rates(std::string(trouble_name(trouble)),
                rates.rates([&](const Group& group) { return group.trouble == trouble; }));
  }
  print_rates("all", rates.rates(here));
}

void print_curve(const VerdictRates& rates, bool descriptors) {
  fmt::print("\n| {}, leak / limit |", descriptors ? "descriptors" : "memory");
  for (const double multiple : leak_multiples) fmt::print(" {} |", multiple);
  fmt::print("\n|---|");
  for (std::size_t i = 0; i < leak_multiples.size(); ++i) fmt::print("--:|");
  for (const std::uint32_t cycles : planned_cycles) {
    fmt::print("\n| {} cycles |", cycles);
    for (std::size_t multiple = 0; multiple < leak_multiples.size(); ++multiple) {
      const auto percent = [&](const std::vector<Verdict>& verdicts) {
        return rates
            .given(verdicts,
                   [&](const Group& group) {
                     return of_descriptors(group.trouble) == descriptors &&
                            group.cycles == cycles && group.multiple == multiple;
                   })
            .percent();
      };
      fmt::print(" {:.0f} / {:.0f} / {:.0f} |", percent({Verdict::leak}),
                 percent({Verdict::inconclusive}),
                 percent({Verdict::no_leak, Verdict::saturating}));
    }
  }
  fmt::print("\n");
}

}  // namespace

int main(int argc, char** argv) {
  if (argc < 3) {
    fmt::print(stderr, "usage: verdict_rates SEED SERVERS [SVG]\n");
    return 64;
  }
  const std::uint64_t seed = std::strtoull(argv[1], nullptr, 10);
  const auto servers = static_cast<std::uint32_t>(std::strtoul(argv[2], nullptr, 10));
  const VerdictRates rates(seed, servers);
  for (const bool descriptors : {false, true}) {
    print_all_rates(rates, descriptors);
    print_curve(rates, descriptors);
  }
  if (argc == 3) return 0;
  std::ofstream drawing(argv[3]);
  drawing << operating_curve_svg(rates);
  drawing.close();
  if (drawing) return 0;
  fmt::print(stderr, "verdict_rates: cannot write {}\n", argv[3]);
  return 1;
}
