#include "analysis/report/retention_section.h"

#include <fmt/format.h>

#include <nlohmann/json.hpp>

#include "analysis/format.h"
#include "analysis/report/table.h"

namespace ebbtide {
namespace {

// Where it lies, a noun phrase behind "free".
std::string place_text(const Retention& retention, KeptIn place) {
  switch (place) {
    case KeptIn::pieces:
      return "between malloc's blocks";
    case KeptIn::thread_arenas:
      return fmt::format("in {} of threads", counted(retention.thread_arenas, "malloc arena"));
    case KeptIn::top:
      return "behind malloc's last block";
    case KeptIn::v8_pages:
      break;
  }
  return "in V8's pages";
}

// Less than two pages hold none for certain that could be given back alone.
constexpr double least_piece = 8 << 10;

// Without the thread its pages go back only when it is called again.
constexpr auto jemalloc =
    "jemalloc (`LD_PRELOAD=libjemalloc.so.2 MALLOC_CONF=background_thread:true`)";

}  // namespace

std::string retention_advice(const Retention& retention, const KeptMemory& part, bool v8) {
  const std::string kept = fmt::format("{} more than at the baseline lie free {}",
                                       bytes_text(part.grown()), place_text(retention, part.place));
  switch (part.place) {
    case KeptIn::pieces: {
      const double piece = part.after / std::max<double>(1, static_cast<double>(retention.pieces));
      const std::string blocks = fmt::format(
          "{}, in {} of {} and more on average, beside {} in use: longer-lived blocks "
          "pin them",
          kept, counted(retention.pieces, "piece"), bytes_text(piece),
          bytes_text(retention.in_use));
      return fmt::format("{}{}, which keeps blocks of one size together: {}.",
                         !v8 && piece >= least_piece
                             ? "Call `malloc_trim(0)` when load is over, or preload "
                             : "Preload ",
                         jemalloc, blocks);
    }
    case KeptIn::thread_arenas:
      return fmt::format(
          "Set `MALLOC_ARENA_MAX=2` in its environment, so that threads share arenas: "
          "{}.",
          kept);
    case KeptIn::top:
      return fmt::format(
          "Set `MALLOC_TRIM_THRESHOLD_=131072` in its environment: without it glibc "
          "keeps twice the largest block that was freed. {}.",
          kept);
    case KeptIn::v8_pages:
      break;
  }
  return fmt::format(
      "Bound the young generation with `--max-semi-space-size=1` (MB) and compare: "
      "V8 keeps its pages for the next burst. {}.",
      kept);
}

std::string retention_section(const Retention& retention) {
  if (retention.parts.empty()) return "";
  MarkdownTable table(
      {{"free, and in memory", Align::left}, {"baseline"}, {"at the end"}, {"change"}});
  for (const KeptMemory& part : retention.parts)
    table.row({place_text(retention, part.place), bytes_text(part.before), bytes_text(part.after),
               bytes_text(part.grown())});
  return fmt::format(
      "### Memory that the allocator keeps\n\nNo leak: it was given back to the allocator, which "
      "serves later blocks from it. Of {} of anonymous memory at the end, malloc's blocks use "
      "{}.\n\n{}\n",
      bytes_text(retention.anonymous), bytes_text(retention.in_use), table.markdown());
}

std::string retention_line(const Retention& retention) {
  if (retention.parts.empty()) return "";
  std::string text = fmt::format("Keeps   {} that nothing uses, which is no leak: ",
                                 bytes_text(retention.grown()));
  for (std::size_t i = 0; i < retention.parts.size(); ++i)
    text += fmt::format("{}{} {}", i == 0 ? "" : ", ", bytes_text(retention.parts[i].grown()),
                        place_text(retention, retention.parts[i].place));
  return text + "\n";
}

nlohmann::ordered_json retention_json(const Retention& retention, bool v8) {
  nlohmann::ordered_json parts = nlohmann::ordered_json::array();
  for (const KeptMemory& part : retention.parts)
    parts.push_back({{"in", name_of(part.place)},
                     {"baseline_bytes", part.before},
                     {"end_bytes", part.after},
                     {"advice", retention_advice(retention, part, v8)}});
  return {{"grown_bytes", retention.grown()},
          {"malloc_in_use_bytes", retention.in_use},
          {"free_pieces", retention.pieces},
          {"thread_arenas", retention.thread_arenas},
          {"parts", std::move(parts)}};
}

}  // namespace ebbtide
